"""Who reads along in a mail thread: who may get the bot's answer too, and whom a person is about to write to.

Owns telling colleagues from outsiders. A colleague is a contact of the same account; an outsider neither that nor of
the account's own domain. Not here: queueing (turns.py, humans.py), the addresses of a mail (the channel).
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.directory_values import is_public_mail
from app.store.models import accounts, contacts, conversations, csms, identities, messages
from core.errors import BadInputError, ConflictError
from core.messages import Assurance, Author
from core.views import Recipient, Recipients

_MAIL = "email"


async def colleagues(
    connection: AsyncConnection, tenant: str, account: str | None, addresses: Sequence[str]
) -> tuple[str, ...]:
    """Return those of the addresses that belong to contacts of this account, in their order."""
    if account is None or not addresses:
        return ()
    found = await connection.execute(
        select(identities.c.value)
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .where(
            identities.c.tenant == tenant,
            identities.c.kind == _MAIL,
            identities.c.value.in_(list(addresses)),
            identities.c.assurance != Assurance.CLAIMED,
            contacts.c.account_id == account,
        )
    )
    known = set(found.scalars())
    return tuple(address for address in dict.fromkeys(addresses) if address in known)


async def recipients(
    connection: AsyncConnection, tenant: str, conversation: str
) -> Recipients | None:
    """Return whom a reply to the newest mail of a conversation would reach; None when that was no mail."""
    newest = (
        await connection.execute(
            select(
                messages.c.channel, messages.c.address, messages.c.author_name, messages.c.metadata
            )
            .where(
                messages.c.tenant == tenant,
                messages.c.conversation_id == conversation,
                messages.c.direction == "in",
            )
            .order_by(messages.c.seq.desc())
            .limit(1)
        )
    ).one_or_none()
    if newest is None or newest.channel != _MAIL or not newest.address:
        return None
    others = [a for a in str(newest.metadata.get("cc", "")).split() if a != newest.address]
    judged = await _judge(
        connection, tenant, conversation, newest.metadata.get("sender"), [newest.address, *others]
    )
    return Recipients(to=judged[0], cc=tuple(judged[1:]))


async def chosen(
    connection: AsyncConnection,
    tenant: str,
    conversation: str,
    cc: Sequence[str],
    confirmed: Sequence[str] | None,
) -> tuple[str, ...]:
    """Return the copies a person chose. `confirmed` None does not ask.

    Raises BadInputError for an address that is not in the thread, ConflictError naming outsiders nobody has confirmed.
    """
    found = await recipients(connection, tenant, conversation)
    if found is None:
        if cc:
            raise BadInputError("only a mail has copies")
        return ()
    listed = {recipient.address: recipient for recipient in found.cc}
    if strange := [address for address in cc if address not in listed]:
        raise BadInputError(f"{strange[0]} does not read along in this conversation")
    wanted = [found.to, *(listed[address] for address in dict.fromkeys(cc))]
    unasked = [r.address for r in wanted if r.outsider and not r.known]
    missing = [address for address in unasked if confirmed is not None and address not in confirmed]
    if missing:
        raise ConflictError(
            f"{', '.join(missing)}: outside the customer's company. Confirm before the first mail goes there"
        )
    return tuple(recipient.address for recipient in wanted[1:])


async def _judge(
    connection: AsyncConnection,
    tenant: str,
    conversation: str,
    sender: str | None,
    addresses: list[str],
) -> list[Recipient]:
    about = (
        await connection.execute(
            select(conversations.c.contact_id, contacts.c.account_id, accounts.c.domains)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .outerjoin(accounts, accounts.c.id == contacts.c.account_id)
            .where(conversations.c.id == conversation, conversations.c.tenant == tenant)
        )
    ).one()
    names: dict[str, str | None] = {}
    inside = {sender} if sender else set[str | None]()
    for row in await connection.execute(
        select(identities.c.value, contacts.c.id, contacts.c.name, contacts.c.account_id)
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .where(
            identities.c.tenant == tenant,
            identities.c.kind == _MAIL,
            identities.c.value.in_(addresses),
            identities.c.assurance != Assurance.CLAIMED,
        )
    ):
        names[row.value] = row.name
        same = row.account_id is not None and row.account_id == about.account_id
        inside |= {row.value} if same or row.id == about.contact_id else set()
    team = await connection.execute(
        select(csms.c.email).where(csms.c.tenant == tenant, csms.c.email.in_(addresses))
    )
    inside |= set(team.scalars())
    own = {d for d in (about.domains or ()) if d}
    if not own and sender and not is_public_mail(_domain(sender)):
        own = {_domain(sender)}
    known = await _written_to(connection, conversation)
    return [
        Recipient(
            address=address,
            name=names.get(address),
            outsider=address not in inside and _domain(address) not in own,
            known=address in known,
        )
        for address in dict.fromkeys(addresses)
    ]


async def _written_to(connection: AsyncConnection, conversation: str) -> set[str]:
    """Return the addresses a person wrote to in this conversation already."""
    found = await connection.execute(
        select(messages.c.address, messages.c.metadata).where(
            messages.c.conversation_id == conversation,
            messages.c.direction == "out",
            messages.c.author == Author.CSM,
            messages.c.channel == _MAIL,
            messages.c.status.not_in(("proposed", "discarded", "dropped")),
        )
    )
    known: set[str] = set()
    for row in found:
        known |= {row.address or "", *str((row.metadata or {}).get("cc", "")).split()}
    return known


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
