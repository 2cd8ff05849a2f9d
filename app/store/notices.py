"""A card to the team's inboxes, once for a key.

Not here: what the card says, or alerts about one conversation (app/store/handoffs.py).
"""

from dataclasses import asdict

from sqlalchemy import exc, insert, select

from app.store import queue
from app.store.database import Database
from app.store.models import alarms, inboxes
from core.clock import Clock
from core.ids import TenantId, new_id
from core.messages import Author, MessageKind, TeamCard


async def tell_team_once(
    database: Database, clock: Clock, tenant: TenantId, key: str, kind: str, card: TeamCard
) -> bool:
    """Queue a card to every team inbox together with the mark `key`; False when the mark was there."""
    now = clock.now()
    try:
        async with database.write() as connection:
            await connection.execute(
                insert(alarms).values(
                    id=new_id("alm", now),
                    tenant=tenant,
                    key=key,
                    kind=kind,
                    payload={},
                    at=now,
                    fired_at=now,
                )
            )
            team = await connection.execute(
                select(inboxes.c.id, inboxes.c.channel, inboxes.c.address).where(
                    inboxes.c.tenant == tenant, inboxes.c.kind == "team"
                )
            )
            for inbox in team.all():
                await queue.add(
                    connection,
                    tenant=tenant,
                    inbox=inbox.id,
                    channel=inbox.channel,
                    address=inbox.address,
                    author=Author.SYSTEM,
                    kind=MessageKind.NOTICE,
                    payload={"text": card.text, "card": asdict(card)},
                    now=now,
                    card=True,
                )
    except exc.IntegrityError:
        return False
    return True
