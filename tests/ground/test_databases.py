"""Every test gets a database of its own, migrated, on both engines."""

from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.engine import Engine

from tests import databases


def open_blocking(url: str) -> Engine:
    """Open a database of the tests with the plain driver."""
    return create_engine(url.replace("+aiosqlite", ""))


def test_a_fresh_database_is_migrated(database_url: str) -> None:
    engine = open_blocking(database_url)

    tables = inspect(engine).get_table_names()

    engine.dispose()
    assert {"alembic_version", "conversations"} <= set(tables)


def test_two_databases_share_nothing(database_url: str) -> None:
    engine = open_blocking(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER PRIMARY KEY)"))
    with databases.another(database_url) as url:
        other = open_blocking(url)
        assert not inspect(other).has_table("left_over")
        other.dispose()
    assert inspect(engine).has_table("left_over")
    engine.dispose()


def test_a_database_is_on_this_machine(database_url: str) -> None:
    assert make_url(database_url).host in (None, "127.0.0.1")
