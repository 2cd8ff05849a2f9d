"""Alembic's entry: runs on the connection that app.store.migrate hands over."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from app.store.database import UtcDateTime
from app.store.models import metadata


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types in terms that never change meaning: a revision is history."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and getattr(item, "_variant_mapping", None) and "JSON" in repr(item):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
