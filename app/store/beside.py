"""Port `Beside`: a notice of a conversation on another channel, where the tenant has one and the customer lets us.

Not here: what is said there (the channel that asks), how the row is written (inline.py).
"""

from sqlalchemy import select

from app.store.checks import SqlConsents
from app.store.database import Database
from app.store.inline import SqlInline
from app.store.models import inboxes
from core.conversations import Inbox
from core.ids import ConversationId, InboxId, TenantId
from core.ports import Wakeups


class SqlBeside:
    """Port `Beside`."""

    def __init__(self, database: Database, inline: SqlInline, wakeups: Wakeups) -> None:
        self._database = database
        self._inline = inline
        self._consents = SqlConsents(database)
        self._wakeups = wakeups

    async def reaches(self, tenant: TenantId, channel: str, address: str) -> bool:
        """See the port."""
        if await self._inbox(tenant, channel) is None:
            return False
        # no word is consent enough for what was just asked for; a STOP is not
        return await self._consents.granted(tenant, channel, [address]) is not False

    async def send(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        channel: str,
        address: str,
        text: str,
        since: int,
    ) -> bool:
        """See the port."""
        inbox = await self._inbox(tenant, channel)
        if inbox is None or not await self.reaches(tenant, channel, address):
            return False
        await self._inline.beside(inbox, conversation, address, text, since)
        await self._wakeups.wake("outbox", conversation)
        return True

    async def _inbox(self, tenant: TenantId, channel: str) -> Inbox | None:
        query = (
            select(inboxes.c.id, inboxes.c.address)
            .where(
                inboxes.c.tenant == tenant,
                inboxes.c.channel == channel,
                inboxes.c.kind == "customer",
            )
            .order_by(inboxes.c.created_at, inboxes.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Inbox(InboxId(row.id), tenant, channel, row.address) if row else None
