"""Accounts, contacts, policies, and what people do in a conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.conversations import Account, Contact, Csm, Inbox, Mode
from core.ids import (
    AccountId,
    ContactId,
    ConversationId,
    CsmId,
    TenantId,
)
from core.messages import (
    StoredMessage,
)


@dataclass(frozen=True, slots=True)
class TenantPolicy:
    """What a team set: who answers where. `paused` stops the bot (tenant or channel).

    `editions` go from the lowest to the highest. `numbers` are the tenant's own kinds of personal numbers, name → shape
    (core/pii/shapes.py). `advice` names what the bot may advise on beyond the docs: legal, medical, financial.
    `domains` are the hosts the bot may link to besides the documents' own; `*.name` takes in all below. `persona`,
    `tones` (edition → tone) and `reading_level` ("easy" | "plain" | "") are how a model's replies should sound.
    `bands` say from where a figure is green and yellow (core/kpis.py).
    `widget_identity` "required": the web chat is for signed-in people alone.
    """

    mode: Mode = Mode.AUTO
    by_channel: Mapping[str, Mode] = field(default_factory=dict)
    by_intent: Mapping[str, Mode] = field(default_factory=dict)
    by_tier: Mapping[str, Mode] = field(default_factory=dict)
    paused: bool = False
    paused_channels: frozenset[str] = frozenset()
    brand: str = "Lumen Boards"
    bot_name: str = "Usher"
    join_hours: int = 24
    reopen_hours: int = 72
    locale: str = "en"
    time_zone: str = "UTC"
    editions: tuple[str, ...] = ("starter", "pro", "enterprise")
    widget_origins: tuple[str, ...] = ()
    lines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    persona: str = ""
    tones: Mapping[str, str] = field(default_factory=dict)
    reading_level: str = ""
    widget_identity: str = ""


class Directory(Protocol):
    """Accounts, contacts, inboxes, people."""

    async def inbox(self, channel: str, address: str) -> Inbox | None:
        """Return the inbox with this address, whichever tenant's it is."""
        ...

    async def inboxes(self, tenant: TenantId | None = None) -> Sequence[Inbox]:
        """Return the configured inboxes."""
        ...

    async def contact(self, tenant: TenantId, contact: ContactId) -> Contact | None:
        """Return one contact with account and identities."""
        ...

    async def account(self, tenant: TenantId, account: AccountId) -> Account | None:
        """Return one account."""
        ...

    async def csm(self, tenant: TenantId, csm: CsmId) -> Csm | None:
        """Return one CSM."""
        ...

    async def policy(self, tenant: TenantId) -> TenantPolicy:
        """Return the tenant's policy."""
        ...


class Humans(Protocol):
    """What people do in a conversation. Each call is one transaction and one version.

    `event` is the provider's id of a button press: a press that comes again changes and says nothing.
    """

    async def take_over(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> tuple[StoredMessage, ...]:
        """Make `csm` the owner; returns bot messages already at a provider (in flight).

        Nothing is said a second time when they own it already.
        Raises ConflictError when another person owns it, NotFoundError.
        """
        ...

    async def reply(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        text: str,
        external_id: str | None = None,
        files: Sequence[str] = (),
        cc: Sequence[str] = (),
        confirmed: Sequence[str] | None = None,
    ) -> StoredMessage | None:
        """Queue the owner's reply with files that were put before; None for a duplicate `external_id`.

        `cc` are those of the thread's others who get it too. Outsiders must be in `confirmed` before the first mail
        goes to them; None does not ask. Raises ConflictError when unclaimed or unconfirmed, ForbiddenError when
        somebody else owns it, BadInputError for an address that does not read along, NotFoundError for a file that
        is not there or was sent already.
        """
        ...

    async def note(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author_name: str,
        text: str,
        external_id: str | None = None,
    ) -> StoredMessage | None:
        """Keep an internal note; None for a duplicate `external_id`."""
        ...

    async def hand_back(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        csm: Csm,
        notice: str | None,
        event: str | None = None,
    ) -> None:
        """Let the bot resume."""
        ...

    async def resolve(
        self, tenant: TenantId, conversation: ConversationId, csm: Csm, event: str | None = None
    ) -> None:
        """Close the conversation."""
        ...

    async def set_mode(
        self, tenant: TenantId, conversation: ConversationId, mode: Mode | None, csm: Csm
    ) -> None:
        """Set the conversation's own mode; None inherits."""
        ...

    async def decide_draft(
        self, tenant: TenantId, message: str, csm: Csm, action: str, text: str | None
    ) -> StoredMessage:
        """Send, edit (then send) or discard a proposed reply. Raises ConflictError when decided."""
        ...

    async def note_for_team(
        self,
        tenant: TenantId,
        conversation: ConversationId,
        author: str,
        text: str,
        event: str | None = None,
    ) -> None:
        """Write a line under the conversation's alert."""
        ...

    async def by_alert(self, tenant: TenantId, thread: str) -> ConversationId | None:
        """Return the conversation whose alert has this provider thread."""
        ...

    async def owner(self, tenant: TenantId, conversation: ConversationId) -> str | None:
        """Return the owner's id. Raises NotFoundError."""
        ...
