"""A turn as a handler sees it, and the outcome it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.conversations import Contact, Conversation, Inbox
from core.effects import Effect, RefusedEffect
from core.ids import TenantId, TurnId
from core.messages import Assurance, Author, MessageKind, QuickReply, StoredMessage
from core.ports.people import TenantPolicy
from core.turns import Citation, Decision, Passage, Verdict
from core.understanding import Said, Understanding


@dataclass(frozen=True, slots=True)
class Turn:
    """One inbound (or a joined burst) through its reply.

        `text` is what was written, PII kept; `talk` the earlier utterances, oldest first; `channel`/`address`
        where the reply goes; `limits` the privileges a check took away; `refused` the effects the last attempt
        was denied; `proven` whether account facts, bookings and memory may be shown, `assurance` how sure we are of the
    sender otherwise; `contact` has its account only when proven; `policy` what the tenant set.
    """

    id: TurnId
    tenant: TenantId
    conversation: Conversation
    contact: Contact
    messages: tuple[StoredMessage, ...]
    text: str
    talk: tuple[Said, ...]
    understanding: Understanding
    channel: str
    address: str
    inbox: Inbox | None
    locale: str
    now: datetime
    proven: bool = False
    limits: frozenset[str] = frozenset()
    refused: tuple[RefusedEffect, ...] = ()
    policy: TenantPolicy = field(default_factory=TenantPolicy)
    assurance: Assurance = Assurance.CHANNEL


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler decided. It sends nothing itself.

    `text` None says nothing to the customer. `kind` NOTICE survives a takeover. `next` names another handler
    to call instead (this outcome's effects are kept). `sources` are the passages the text leans on, for the
    grounding check; `generated` is True when a language model wrote it. `claims` are what effects of this
    turn entitle the text to state ("booked", "price"). `fixed` is the part of a generated text that is a line of ours.
    `private`: others who read along must not see it.
    """

    text: str | None
    handler: str = ""
    effects: tuple[Effect, ...] = ()
    citations: tuple[Citation, ...] = ()
    sources: tuple[Passage, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    decision: Decision = field(default_factory=lambda: Decision(action="answer"))
    kind: MessageKind = MessageKind.REPLY
    author: Author = Author.BOT
    next: str | None = None
    generated: bool = False
    fixed: str = ""
    private: bool = False
    claims: frozenset[str] = frozenset()
    query: str | None = None
    trace: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check may look at besides the text.

    `asked` is what the customer wrote; `asks` the slot that a running form asks for, so that only it may be asked.
    """

    tenant: TenantId
    locale: str
    channel: str
    understanding: Understanding | None = None
    outcome: Outcome | None = None
    sources: tuple[Passage, ...] = ()
    contact: Contact | None = None
    asked: str = ""
    asks: str | None = None
    policy: TenantPolicy = field(default_factory=TenantPolicy)


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a chain of checks. `text` is what may go on; None when blocked."""

    text: str | None
    verdicts: tuple[Verdict, ...]

    @property
    def blocked(self) -> Verdict | None:
        """The verdict that blocked, if one did."""
        return next((v for v in self.verdicts if v.verdict == "block"), None)

    @property
    def limits(self) -> frozenset[str]:
        """All privileges taken away."""
        return frozenset(limit for v in self.verdicts for limit in v.limits)
