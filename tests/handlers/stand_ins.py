"""A talk with one handler: ports in memory, notes and forms carried from turn to turn as the commit would."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from core.bookings import Booking, SessionType, Slot
from core.clock import FrozenClock
from core.contracts import Context, HandlerSpec
from core.conversations import Account, Contact, Conversation, Form, Identity, Status
from core.effects import Effect, RefusedEffect, SetForm, SetNote
from core.errors import UnavailableError
from core.ids import (
    BookingId,
    ContactId,
    ConversationId,
    DocumentId,
    FactId,
    PassageId,
    TenantId,
    TurnId,
)
from core.messages import Assurance
from core.outcomes import Outcome, Turn
from core.ports import PLAIN_VOICE, Extract, Fact, Generated, ModelCall, Viewer, Voice
from core.turns import Citation, Passage
from core.understanding import Said, Scored, Understanding
from handlers._shared.lines import YamlLines
from knowledge.times import find_times

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
TENANT = TenantId("demo")
LINES = YamlLines(slots={"brand": "Lumen", "bot": "Usher"})
E = TypeVar("E")

NOBODY = Contact(ContactId("con_1"))
TYPES = (
    SessionType("onboarding", "Onboarding session", 60, 15),
    SessionType("training", "Team training", 90, 15),
    SessionType("review", "Success review", 30),
)


def passage(number: int, text: str, locale: str = "en") -> Passage:
    return Passage(
        id=PassageId(f"psg_{number}"),
        document_id=DocumentId(f"doc_{number}"),
        document=f"page-{number}.md",
        title=f"Page {number}",
        section="Top",
        text=text,
        score=0.9,
        locale=locale,
    )


def extract(action: str, text: str = "", *, locale: str = "en", **more: Any) -> Extract:
    found = (passage(1, "Exports are under Settings.", locale),) if action == "answer" else ()
    citations = tuple(Citation(1, p.id, p.document, p.title, p.section, p.text) for p in found)
    return Extract(action, text, citations, found, more.pop("confidence", 0.8), **more)


@dataclass(slots=True)
class FakeAnswers:
    gives: Extract = field(default_factory=lambda: extract("decline", confidence=0.1))
    asked: list[str] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        self.asked.append(question)
        self.viewers.append(viewer)
        return replace(self.gives, query=question)

    async def support(self, text: str, sources: Sequence[str]) -> float:
        return 1.0


@dataclass(slots=True)
class FakeRetriever:
    passages: tuple[Passage, ...] = ()
    queries: list[str] = field(default_factory=list)

    async def search(
        self, tenant: TenantId, query: str, talk: Sequence[Said], viewer: Viewer, k: int = 8
    ) -> Sequence[Passage]:
        self.queries.append(query)
        return self.passages[:k]


@dataclass(slots=True)
class FakeGenerator:
    """A scripted model: says its parts in order, or fails."""

    parts: tuple[tuple[str, tuple[int, ...]], ...] | None = None
    fails: bool = False

    @property
    def enabled(self) -> bool:
        return self.parts is not None or self.fails

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        passages: Sequence[Passage],
        locale: str,
        max_chars: int,
        on_part: Callable[[str, tuple[int, ...]], Awaitable[None]] | None = None,
        *,
        voice: Voice = PLAIN_VOICE,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> Generated:
        if self.fails or on_part is None:
            raise UnavailableError("the model does not answer")
        for text, numbers in self.parts or ():
            await on_part(text, numbers)
        return Generated(self.parts or (), "scripted")

    async def rewrite(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        *,
        spent: Callable[[ModelCall], None] | None = None,
    ) -> str:
        return f"{question} (standing alone)"


@dataclass(slots=True)
class FakeCalendar:
    """Free every half hour from 9 to 17 UTC on weekdays, save what is taken."""

    types: tuple[SessionType, ...] = TYPES
    own: tuple[Booking, ...] = ()
    taken: set[datetime] = field(default_factory=set)
    nothing: bool = False

    async def session_types(self, tenant: TenantId) -> Sequence[SessionType]:
        return self.types

    async def slots(
        self, tenant: TenantId, asset_id: str, start: datetime, end: datetime, limit: int = 50
    ) -> Sequence[Slot]:
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        grid = (day + timedelta(minutes=30 * n) for n in range(48 * 40))
        free = (
            moment
            for moment in grid
            if start <= moment < end
            and moment.weekday() < 5
            and 9 <= moment.hour < 17
            and moment not in self.taken
            and not self.nothing
        )
        return [slot(asset_id, moment) for moment in free][:limit]

    async def bookings(self, tenant: TenantId, contact: ContactId) -> Sequence[Booking]:
        return self.own

    async def find(self, tenant: TenantId, booking: BookingId) -> Booking | None:
        return next((b for b in self.own if b.id == booking), None)


def slot(asset_id: str, moment: datetime) -> Slot:
    kind = next(t for t in TYPES if t.asset_id == asset_id)
    return Slot(
        slot_id=f"{asset_id}.hst_ada.{int(moment.timestamp())}",
        asset_id=asset_id,
        title=kind.title,
        host_id="hst_ada",
        host="Ada",
        starts_at=moment,
        ends_at=moment + timedelta(minutes=kind.minutes),
        host_email="ada@lumen.example",
    )


def booking(asset_id: str, moment: datetime, **more: Any) -> Booking:
    booked = slot(asset_id, moment)
    values: dict[str, Any] = {
        "id": BookingId(f"bkg_{asset_id}"),
        "contact_id": ContactId("con_1"),
        "slot_id": booked.slot_id,
        "asset_id": asset_id,
        "title": booked.title,
        "host_id": booked.host_id,
        "host": booked.host,
        "starts_at": booked.starts_at,
        "ends_at": booked.ends_at,
        "status": "booked",
        "created_at": NOON,
        "host_email": booked.host_email,
        "channel": "web",
    }
    return Booking(**{**values, **more})


@dataclass(slots=True)
class FakeFacts:
    facts: tuple[Fact, ...] = ()

    async def put(
        self,
        tenant: TenantId,
        contact: ContactId,
        key: str,
        value: str,
        source: str,
        confidence: float = 1.0,
    ) -> Fact:
        raise AssertionError("a handler changes facts by effects only")

    async def all(self, tenant: TenantId, contact: ContactId) -> Sequence[Fact]:
        return self.facts

    async def forget(self, tenant: TenantId, contact: ContactId, key: str | None = None) -> int:
        raise AssertionError("a handler changes facts by effects only")

    async def recall(
        self, tenant: TenantId, contact: ContactId, query: str, k: int = 3
    ) -> Sequence[Fact]:
        return self.facts[-k:]


def fact(key: str, value: str, **more: Any) -> Fact:
    values: dict[str, Any] = {"source": "customer:web", "confidence": 1.0, "created_at": NOON}
    return Fact(FactId(f"fct_{key}"), ContactId("con_1"), key, value, **{**values, **more})


class FakeState:
    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        return None

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        raise AssertionError("no handler here needs rows of its own")


@dataclass(slots=True)
class Previewed:
    sentences: list[str] = field(default_factory=list)

    async def __call__(
        self, text: str, citations: Sequence[Citation] = (), sources: Sequence[Passage] = ()
    ) -> None:
        self.sentences.append(text)


@dataclass(slots=True)
class Talk:
    """One conversation with one handler."""

    handler: HandlerSpec
    answers: FakeAnswers = field(default_factory=FakeAnswers)
    retriever: FakeRetriever = field(default_factory=FakeRetriever)
    generator: FakeGenerator = field(default_factory=FakeGenerator)
    calendar: FakeCalendar = field(default_factory=FakeCalendar)
    facts: FakeFacts = field(default_factory=FakeFacts)
    preview: Previewed = field(default_factory=Previewed)
    contact: Contact = NOBODY
    channel: str = "web"
    address: str = "visitor-1"
    locale: str = "en"
    proven: bool = False
    time_zone: str = "UTC"
    memory: dict[str, object] = field(default_factory=dict)
    form: Form | None = None
    said: list[Said] = field(default_factory=list)
    handoff: Any = None

    async def says(
        self,
        text: str,
        intent: str | None = None,
        *,
        refused: tuple[RefusedEffect, ...] = (),
        limits: frozenset[str] = frozenset(),
        now: datetime = NOON,
        **understood: Any,
    ) -> Outcome:
        """Run one turn; carry its notes and form to the next, as the commit does."""
        understanding = Understanding(
            language=self.locale,
            intent=Scored(intent, 0.9) if intent else None,
            times=find_times(text, now, self.time_zone, self.locale),
            **understood,
        )
        outcome = await self.handler.handle(
            self._turn(text, understanding, refused, limits, now), self._context(now)
        )
        for effect in outcome.effects:
            self._apply(effect)
        self.said += [Said("customer", text), Said("bot", outcome.text or "")]
        return outcome

    def _apply(self, effect: Effect) -> None:
        match effect:
            case SetForm(form):
                self.form = Form(**json.loads(json.dumps(asdict(form)))) if form else None
            case SetNote(values):
                self.memory.update(json.loads(json.dumps(dict(values))))
            case _:
                pass

    def _turn(
        self,
        text: str,
        understanding: Understanding,
        refused: tuple[RefusedEffect, ...],
        limits: frozenset[str],
        now: datetime,
    ) -> Turn:
        conversation = Conversation(
            id=ConversationId("cnv_1"),
            tenant=TENANT,
            contact_id=self.contact.id,
            status=Status.OPEN,
            mode=None,
            owner=None,
            version=1,
            fence=1,
            seq=1,
            created_at=now,
            updated_at=now,
            channel=self.channel,
            form=self.form,
            handoff=self.handoff,
            memory=dict(self.memory),
        )
        return Turn(
            id=TurnId("trn_1"),
            tenant=TENANT,
            conversation=conversation,
            contact=self.contact,
            messages=(),
            text=text,
            talk=tuple(self.said),
            understanding=understanding,
            channel=self.channel,
            address=self.address,
            inbox=None,
            locale=self.locale,
            now=now,
            proven=self.proven,
            limits=limits,
            refused=refused,
        )

    def _context(self, now: datetime) -> Context:
        return Context(
            clock=FrozenClock(now),
            answers=self.answers,
            retriever=self.retriever,
            generator=self.generator,
            calendar=self.calendar,
            facts=self.facts,
            recall=self.facts,
            lines=LINES,
            state=FakeState(),
            preview=self.preview,
            time_zone=self.time_zone,
        )


def effects_of(outcome: Outcome, kind: type[E]) -> list[E]:
    """Return the outcome's effects of one kind."""
    return [effect for effect in outcome.effects if isinstance(effect, kind)]


def labels(outcome: Outcome) -> list[str]:
    return [reply.label for reply in outcome.quick_replies]


def line(key: str, locale: str = "en", channel: str = "web", **slots: object) -> str:
    return LINES.say(key, locale, channel, **slots)


def with_email(assurance: Assurance = Assurance.CHANNEL) -> Contact:
    identity = Identity("email", "kim@acme.example", assurance)
    return Contact(ContactId("con_1"), time_zone="Europe/Madrid", identities=(identity,))


def with_account(edition: str) -> Contact:
    account = Account("acc_1", "a1", "Acme", edition=edition)  # type: ignore[arg-type]
    return Contact(ContactId("con_1"), account=account)
