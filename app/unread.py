"""A person's reply that nobody came back to read goes where the customer asked for it.

Owns when (five minutes without an acknowledgement) and what is said: the words themselves only to an address
that is proven; to one that was only typed in, that there is an answer and a link to it (design §9: on another
channel never content). The link is signed, good for a week, and without proof shows nothing older than what it
announces: a mistyped address must not open somebody's conversation.
Not unasked (promise 9): it is the answer to their own question, sent where they said, and never after STOP.
Not here: which replies are unread (app/store/reaches.py), what the link opens (app/api/web_chat.py).
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from core.clock import Clock
from core.conversations import Inbox
from core.messages import Assurance
from core.ports import Directory, Lines, Reaches, TenantPolicy, Unread, Wakeups

logger = logging.getLogger(__name__)

UNREAD_AFTER = timedelta(minutes=5)


class UnreadReplies:
    """One round: tell of every reply that has waited long enough. `link` signs the way back to it."""

    def __init__(
        self,
        reaches: Reaches,
        directory: Directory,
        lines_for: Callable[[TenantPolicy], Lines],
        wakeups: Wakeups,
        clock: Clock,
        link: Callable[[Unread], Awaitable[str]],
    ) -> None:
        self._reaches = reaches
        self._directory = directory
        self._lines_for = lines_for
        self._wakeups = wakeups
        self._clock = clock
        self._link = link

    async def tell(self) -> int:
        """Queue what is due; returns how many notices."""
        due = await self._reaches.unread(self._clock.now() - UNREAD_AFTER)
        return sum([await self._tell(unread) for unread in due])

    async def _tell(self, unread: Unread) -> bool:
        inbox = await self._inbox(unread)
        if inbox is None:
            logger.warning("unread.no_inbox", extra={"channel": unread.reach.channel})
            return False
        policy = await self._directory.policy(unread.tenant)
        lines = self._lines_for(policy)
        proven = unread.reach.assurance is Assurance.PROVEN
        name = unread.author_name.split()[0] if unread.author_name else policy.brand
        text = lines.say(
            "web.unread_answer" if proven else "web.unread_notice",
            unread.locale,
            unread.reach.channel,
            name=name,
            link=await self._link(unread),
            **({"text": "\n\n".join(unread.texts)} if proven else {}),
        )
        subject = lines.say("web.unread_subject", unread.locale, unread.reach.channel)
        told = await self._reaches.tell(unread, inbox, subject, text)
        if told:
            await self._wakeups.wake("outbox", unread.conversation)
        return told

    async def _inbox(self, unread: Unread) -> Inbox | None:
        known = await self._directory.inboxes(unread.tenant)
        wanted = (unread.reach.channel, "customer")
        return next((i for i in known if (i.channel, i.kind) == wanted), None)


def masked(address: str) -> str:
    """Return enough of an address for its owner to know it: `k•••@acme.com`, `•••0143`."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if at else f"•••{address[-4:]}"
