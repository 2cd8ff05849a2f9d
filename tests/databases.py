"""A fresh, migrated database per test, on both engines, in a few milliseconds.

Owns the template: migrated once per run through `app.store.migrate`, then copied (SQLite) or cloned
with CREATE DATABASE … TEMPLATE (PostgreSQL). Not here: starting servers (tests/services.py).
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from tests import services

TEMPLATE = "usher_template"


def migrate(url: str) -> None:
    """Bring an empty database to the newest schema."""
    from app import store  # the store may not be needed by this run at all

    store.migrate(url)


def sqlite_url(path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def postgres_url(port: int, database: str) -> str:
    """Return the SQLAlchemy URL of a database of our own PostgreSQL server."""
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/{database}"


def new_sqlite(path: Path) -> str:
    """Copy the migrated template file to `path`; return its URL."""
    template = services.run_dir() / "template.sqlite"
    with services.locked("sqlite"):
        if not template.exists():
            draft = template.with_suffix(".new")
            draft.unlink(missing_ok=True)
            migrate(sqlite_url(draft))
            # What is still in the write-ahead log would be missing from the copy.
            with contextlib.closing(sqlite3.connect(draft)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            draft.rename(template)
    shutil.copyfile(template, path)
    return sqlite_url(path)


def _administer(port: int) -> psycopg.Connection[tuple[object, ...]]:
    address = f"host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=10"
    return psycopg.connect(address, autocommit=True)


def _ensure_template(port: int) -> None:
    with services.locked("postgresql-template"):
        done = services.run_dir() / "postgresql-template.done"
        if done.exists():
            return
        with _administer(port) as connection:
            name = sql.Identifier(TEMPLATE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            migrate(postgres_url(port, TEMPLATE))
            # A session left open would make every clone fail.
            connection.execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name)
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [TEMPLATE],
            )
        done.touch()


@contextlib.contextmanager
def new_postgres() -> Iterator[str]:
    """Clone the migrated template; yield the clone's URL; drop it, whoever is still connected."""
    port = services.ensure("postgresql").port
    _ensure_template(port)
    name = f"test_{uuid4().hex}"
    # A copied file takes a sixth of the time of the default, a copy through the write-ahead log.
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    with _administer(port) as connection:
        connection.execute(clone.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    try:
        yield postgres_url(port, name)
    finally:
        with _administer(port) as connection:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))


@contextlib.contextmanager
def another(url: str) -> Iterator[str]:
    """Yield the URL of a second fresh database on the engine of `url`."""
    if url.startswith("postgresql"):
        with new_postgres() as second:
            yield second
        return
    path = Path(url.removeprefix("sqlite+aiosqlite:///"))
    yield new_sqlite(path.with_name(f"{uuid4().hex}.sqlite"))
