"""The migrations make exactly the tables that app/store/models.py describes, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url

from app.store import migrate
from app.store.models import metadata


@pytest.mark.parametrize("fixture", ["sqlite_url", "postgres_url"])
def test_migrations_and_models_agree(request: pytest.FixtureRequest, fixture: str) -> None:
    url = make_url(request.getfixturevalue(fixture))
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


@pytest.mark.parametrize("fixture", ["sqlite_url", "postgres_url"])
def test_a_current_database_is_left_alone(request: pytest.FixtureRequest, fixture: str) -> None:
    assert migrate(request.getfixturevalue(fixture)) is False
