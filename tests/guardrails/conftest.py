"""Small stand-ins for what checks are given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from core.clock import FrozenClock
from core.contracts import CheckPorts
from core.conversations import Contact, Identity
from core.ids import ContactId, DocumentId, PassageId, TenantId
from core.messages import Assurance
from core.outcomes import CheckContext, Outcome
from core.ports import Answers
from core.turns import Citation, Passage
from core.understanding import Understanding
from handlers._shared.lines import YamlLines

TENANT = TenantId("demo")
MakeContext = Callable[..., CheckContext]


@dataclass(slots=True)
class State:
    """Plug-in state in a dictionary."""

    rows: dict[tuple[str, str, str], Mapping[str, object]] = field(default_factory=dict)

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        return self.rows.get((plugin, tenant, key))

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        self.rows[(plugin, tenant, key)] = value


@dataclass(slots=True)
class Supports:
    """Says how far the texts it knows are supported; nothing else is."""

    known: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def support(self, text: str, sources: Sequence[str]) -> float:
        self.asked.append((text, tuple(sources)))
        return self.known.get(text, 0.0)


@dataclass(slots=True)
class Known:
    """Ports `Consents` and `Features` over what a test says."""

    consents: dict[tuple[str, str], bool] = field(default_factory=dict)
    locked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def granted(
        self, tenant: TenantId, channel: str, addresses: Sequence[str]
    ) -> bool | None:
        said = [self.consents[channel, a] for a in addresses if (channel, a) in self.consents]
        return said[-1] if said else None

    async def above(self, tenant: TenantId, edition: str | None) -> Mapping[str, tuple[str, ...]]:
        return {t: e for t, e in self.locked.items() if (edition or "starter") not in e}


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def supports() -> Supports:
    return Supports()


@pytest.fixture
def ports(state: State, supports: Supports, known: Known) -> CheckPorts:
    clock = FrozenClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
    return CheckPorts(clock, YamlLines(), cast(Answers, supports), state, known, known)


def passage(number: int, text: str, url: str | None = None) -> Passage:
    return Passage(
        PassageId(f"p{number}"), DocumentId("d"), "plans.md", "Plans", "Plans", text, url=url
    )


def cited(number: int, text: str, url: str | None = None) -> Citation:
    return Citation(number, PassageId(f"p{number}"), "plans.md", "Plans", "Plans", text, url)


CONTACT = Contact(
    ContactId("c1"),
    identities=(
        Identity("sms", "+15417141388", Assurance.CHANNEL),
        Identity("email", "laura@example.com", Assurance.PROVEN),
    ),
)


@pytest.fixture
def context() -> MakeContext:
    def make(
        outcome: Outcome | None = None,
        sources: tuple[Passage, ...] = (),
        understanding: Understanding | None = None,
        contact: Contact | None = CONTACT,
        asked: str = "",
        **more: Any,
    ) -> CheckContext:
        made = CheckContext(TENANT, "en", "sms", understanding, outcome, sources, contact, asked)
        return replace(made, **more)

    return make
