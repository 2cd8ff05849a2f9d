"""What is remembered for the length of a conversation: the last turns and a copy of the form.

Owns the shape of both in the cache. A cache that forgets is no harm: the messages and the form
itself stand in SQL, and both methods that read say None when they do not know.
"""

import json
import logging
from collections.abc import Mapping, Sequence

from core.ids import ConversationId, TenantId
from core.ports import Cache
from core.understanding import Role, Said

logger = logging.getLogger(__name__)

WINDOW_TURNS = 12
WINDOW_SECONDS = 24 * 3600.0
FORM_SECONDS = 7 * 24 * 3600.0

_ROLES: Mapping[str, Role] = {"customer": "customer", "bot": "bot", "human": "human"}


class ShortMemory:
    """The window and the form of each conversation."""

    def __init__(
        self,
        cache: Cache,
        turns: int = WINDOW_TURNS,
        window_ttl: float = WINDOW_SECONDS,
        form_ttl: float = FORM_SECONDS,
    ) -> None:
        self._cache = cache
        self._turns = turns
        self._window_ttl = window_ttl
        self._form_ttl = form_ttl

    async def put_window(
        self, tenant: TenantId, conversation: ConversationId, talk: Sequence[Said]
    ) -> None:
        """Remember the last turns, oldest first; kept for `window_ttl` seconds."""
        rows = [[said.role, said.text] for said in talk[-self._turns :]]
        await self._cache.put(
            _key("window", tenant, conversation),
            json.dumps(rows, ensure_ascii=False),
            self._window_ttl,
        )

    async def get_window(
        self, tenant: TenantId, conversation: ConversationId
    ) -> tuple[Said, ...] | None:
        """Return the last turns, or None when the cache does not know them."""
        rows = await self._read(_key("window", tenant, conversation))
        if not isinstance(rows, list):
            return None
        try:
            return tuple(Said(_ROLES[role], str(text)) for role, text in rows)
        except (KeyError, TypeError, ValueError):
            return None

    async def put_form(
        self, tenant: TenantId, conversation: ConversationId, form: Mapping[str, object]
    ) -> None:
        """Keep a copy of the running form; an empty one is dropped."""
        key = _key("form", tenant, conversation)
        if form:
            await self._cache.put(key, json.dumps(form, ensure_ascii=False), self._form_ttl)
        else:
            await self._cache.drop(key)

    async def get_form(
        self, tenant: TenantId, conversation: ConversationId
    ) -> Mapping[str, object] | None:
        """Return the copy of the running form, or None."""
        form = await self._read(_key("form", tenant, conversation))
        return form if isinstance(form, dict) else None

    async def forget(self, tenant: TenantId, conversation: ConversationId) -> None:
        """Drop both, as an erasure must."""
        for part in ("window", "form"):
            await self._cache.drop(_key(part, tenant, conversation))

    async def _read(self, key: str) -> object:
        raw = await self._cache.get(key)
        if raw is None:
            return None
        try:
            found: object = json.loads(raw)
        except ValueError:
            logger.warning("short_memory.unreadable")
            return None
        return found


def _key(part: str, tenant: TenantId, conversation: ConversationId) -> str:
    return f"{part}:{tenant}:{conversation}"
