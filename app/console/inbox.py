"""Reading: the inbox, one conversation with its transcript, and why the bot said what it said."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.console import pictures
from app.console.gate import Id, Reader, Seat, Uses
from app.services import Services
from app.unread import UNREAD_AFTER, masked
from core.errors import NotFoundError
from core.ids import ConversationId, TurnId
from core.messages import Assurance, Author, StoredMessage
from core.views import InboxRow

router = APIRouter()

PAGE = 100  # messages
_COUNTED = 100  # above this the pages say "99+"
Filters = Annotated[str, Query(alias="filter", pattern="^(open|mine|handoffs|all|resolved)$")]


@router.get("/inbox")
async def listing(
    services: Uses,
    who: Reader,
    which: Filters = "open",
    search: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, object]:
    """Return one page of conversations, the latest first."""
    page = await services.reads.inbox_list(
        who.tenant,
        which,  # type: ignore[arg-type] # the pattern says so
        who.csm.id,
        search,
        cursor,
        limit,
    )
    return {
        "now": services.clock.now().isoformat(),
        "items": [pictures.row(r) for r in page.items],
        "cursor": page.cursor,
    }


@router.get("/counts")
async def counts(services: Uses, who: Reader) -> dict[str, object]:
    """Return how many wait for a person and how many are mine, at most 100 each."""
    waiting = await services.reads.inbox_list(who.tenant, "handoffs", limit=_COUNTED)
    mine = await services.reads.inbox_list(who.tenant, "mine", who.csm.id, limit=_COUNTED)
    return {
        "now": services.clock.now().isoformat(),
        "handoffs": len(waiting.items),
        "mine": len(mine.items),
    }


@router.get("/handoffs")
async def handoffs(services: Uses, who: Reader) -> dict[str, object]:
    """Return who waits for a person, the longest first, and who is with one."""
    waiting = await services.reads.inbox_list(who.tenant, "handoffs", limit=100)
    going = await services.reads.inbox_list(who.tenant, "open", limit=100)
    claimed = [r for r in going.items if r.handoff and r.handoff.state == "claimed"]
    return {
        "now": services.clock.now().isoformat(),
        "waiting": [pictures.row(r) for r in sorted(waiting.items, key=_asked_at)],
        "claimed": [pictures.row(r) for r in sorted(claimed, key=_asked_at)],
    }


def _asked_at(row: InboxRow) -> str:
    return row.handoff.requested_at.isoformat() if row.handoff else ""


@router.get("/conversations/{conversation}")
async def one(
    conversation: Id,
    services: Uses,
    who: Reader,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, object]:
    """Return a conversation with its last messages, or those before a seq. Raises NotFoundError."""
    row = await row_of(services, who, conversation)
    end = row.seq + 1 if before is None else min(before, row.seq + 1)
    after = max(0, end - 1 - PAGE)
    found = await services.reads.transcript(
        who.tenant, row.id, after, PAGE + 20, customer_view=False
    )
    # what was said between the two reads comes along when the newest are asked for
    shown = [m for m in found if before is None or m.seq < end]
    policy = await services.directory.policy(who.tenant)
    return {
        "now": services.clock.now().isoformat(),
        "row": pictures.row(row),
        "messages": [pictures.message(m) for m in shown],
        "earlier": after > 0,
        "target": {**_target(shown, row), **await _also(services, who, row)},
        "recipients": pictures.recipients(await services.reads.recipients(who.tenant, row.id)),
        "policy": pictures.policy(policy),
    }


async def row_of(services: Services, who: Seat, conversation: str) -> InboxRow:
    """Return one of the tenant's conversations. Raises NotFoundError."""
    row = await services.reads.inbox_entry(who.tenant, ConversationId(conversation))
    if row is None:
        raise NotFoundError("no such conversation")
    return row


def _target(messages: list[StoredMessage], row: InboxRow) -> dict[str, object]:
    """Return where a reply goes: to where the contact last wrote from."""
    heard = [m for m in messages if m.author is Author.CUSTOMER]
    if not heard:
        return {"channel": row.channel, "address": None}
    return {"channel": heard[-1].channel, "address": heard[-1].address}


async def _also(services: Services, who: Seat, row: InboxRow) -> dict[str, object]:
    """Return where an answer in the web chat also goes when it stays unread, address masked."""
    reach = await services.reaches.of(who.tenant, row.id)
    if reach is None or reach.address is None:
        return {}
    minutes = int(UNREAD_AFTER.total_seconds() // 60)
    return {
        "also": {
            "channel": reach.channel,
            "address": masked(reach.address),
            "minutes": minutes,
            "words": reach.assurance is Assurance.PROVEN,
        }
    }


@router.get("/conversations/{conversation}/dropped")
async def dropped(conversation: Id, services: Uses, who: Reader) -> dict[str, object]:
    """Return the bot's answers that were never sent because a person had taken over."""
    row = await row_of(services, who, conversation)
    found = await services.reads.turns(who.tenant, row.id)
    return {"items": [pictures.trace(t) for t in found if t.state == "dropped"]}


@router.get("/turns/{turn}")
async def why(turn: Id, services: Uses, who: Reader) -> dict[str, object]:
    """Return what one turn understood, retrieved, decided and checked. Raises NotFoundError."""
    found = await services.reads.trace(who.tenant, TurnId(turn))
    if found is None:
        raise NotFoundError("no such turn")
    return pictures.trace(found)
