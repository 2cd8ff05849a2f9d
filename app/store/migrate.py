"""Bring a database to the newest schema. Blocking: run it before the loop starts, or in a thread."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url


def migrate(url: str) -> bool:
    """Upgrade the database at this SQLAlchemy URL (async drivers are mapped to sync ones).

    Returns False when it was current already, which costs one small query.
    """
    sync = make_url(url)
    if sync.drivername == "sqlite+aiosqlite":
        sync = sync.set(drivername="sqlite")
        if sync.database and sync.database != ":memory:":
            Path(sync.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    heads = ScriptDirectory.from_config(config).get_heads()
    engine = create_engine(sync)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_heads()
        if set(current) == set(heads):
            return False
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    return True
