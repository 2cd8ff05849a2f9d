"""Write an Alembic revision from the difference between app/store/models.py and a fresh database.

usage: python scripts/new_revision.py MESSAGE [--rev-id ID]
"""

import argparse
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from app.store.migrate import migrate


def main() -> None:
    """Migrate a scratch database, then autogenerate against it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("message")
    parser.add_argument("--rev-id")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        migrate(url)
        config = Config()
        config.set_main_option("script_location", str(Path("app/store/migrations")))
        config.set_main_option("path_separator", "os")
        engine = create_engine(url)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, options.message, autogenerate=True, rev_id=options.rev_id)
        engine.dispose()


if __name__ == "__main__":
    main()
