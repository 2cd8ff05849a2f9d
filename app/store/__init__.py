"""SQL state behind the repository ports. Only app/compose.py reaches in here."""

from app.store.migrate import migrate

__all__ = ["migrate"]
