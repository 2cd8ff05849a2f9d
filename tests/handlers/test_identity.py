"""The talk in which somebody proves who they are."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.contracts import Context
from core.conversations import Contact, Identity
from core.effects import (
    CODE_GAP,
    CountMiss,
    Identify,
    Prove,
    RefusedEffect,
    SendCode,
    SetForm,
    SetNote,
)
from core.ids import ContactId, ConversationId, MessageId, TenantId
from core.messages import Assurance, Author, MessageKind, StoredMessage
from core.outcomes import Outcome, Turn
from core.ports import Judged
from handlers.identity import HANDLER
from tests.handlers.stand_ins import NOON, Talk, effects_of, labels, line

WISH = "What do you know about me?"
SENT = line("verify.sent", address="j•••@acme.example")
JUDGED: dict[str, Judged] = {
    "good": Judged("right", "cod_1", 5),
    "bad": Judged("wrong", "cod_1", 3),
    "last but one": Judged("wrong", "cod_1", 1),
    "last": Judged("wrong", "cod_1", 0),
    "spent": Judged("spent", "cod_1"),
    "late": Judged("expired"),
}


class FakeCodes:
    async def judge(self, tenant: TenantId, conversation: ConversationId, typed: str) -> Judged:
        return JUDGED[typed]


@dataclass(slots=True)
class Proving(Talk):
    """A talk in which a typed code arrives sealed, as the intake stores it."""

    assurance: Assurance = Assurance.CHANNEL
    typed: dict[str, str] = field(default_factory=dict)

    def _context(self, now: Any) -> Context:
        return replace(Talk._context(self, now), codes=FakeCodes())

    def _turn(self, *given: Any) -> Turn:
        turn = Talk._turn(self, *given)
        message = StoredMessage(
            MessageId("msg_1"),
            turn.conversation.id,
            1,
            Author.CUSTOMER,
            MessageKind.MESSAGE,
            turn.text,
            NOON,
            "web",
            "received",
            metadata=self.typed,
        )
        return replace(turn, messages=(message,), assurance=self.assurance)

    async def types(self, seal: str) -> Outcome:
        self.typed = {"code": seal}
        said = await self.says("••••••")
        self.typed = {}
        return said


async def asked(**more: Any) -> Proving:
    """Return a talk that has come as far as waiting for a code."""
    talk = Proving(HANDLER, **more)
    await talk.says(WISH, "about_me")
    await talk.says("jane@acme.example")
    return talk


async def test_asks_for_an_address_and_sends_a_code_there() -> None:
    talk = Proving(HANDLER)
    assert (await talk.says(WISH, "about_me")).text == line("verify.ask")
    outcome = await talk.says("It's Jane@Acme.example.")
    (code,) = effects_of(outcome, SendCode)
    assert (code.channel, code.kind, code.value) == ("email", "email", "jane@acme.example")
    assert effects_of(outcome, Identify)[0].claim.assurance is Assurance.CLAIMED
    assert CODE_GAP in code.text
    assert code.subject
    assert outcome.text == SENT


async def test_the_same_is_said_to_an_address_nobody_has() -> None:
    said = [(await (await asked()).says(f"{name}@acme.example")).text for name in ("joe", "jim")]
    assert said == [SENT, SENT]


@pytest.mark.parametrize("phone", ["+1 555 010 0199", "+15550100199", "it's +1 (555) 010-0199"])
async def test_a_mobile_number_gets_a_text(phone: str) -> None:
    talk = Proving(HANDLER)
    await talk.says("verify me", "verify")
    outcome = await talk.says(phone)
    (code,) = effects_of(outcome, SendCode)
    assert (code.channel, code.kind, code.value) == ("sms", "phone", "+15550100199")
    assert outcome.text == line("verify.sent", address="•••199")


async def test_a_shared_mailbox_proves_nobody() -> None:
    talk = Proving(HANDLER)
    await talk.says(WISH, "about_me")
    outcome = await talk.says("info@acme.example")
    assert outcome.text == line("verify.shared")
    assert not effects_of(outcome, SendCode)


async def test_an_address_they_gave_before_is_used_at_once() -> None:
    claimed = Identity("email", "jane@acme.example", Assurance.CLAIMED)
    talk = Proving(HANDLER, contact=Contact(ContactId("con_1"), identities=(claimed,)))
    assert (await talk.says(WISH, "about_me")).text == SENT


@pytest.mark.parametrize(
    "identity",
    [
        Identity("email", "jane@acme.example", Assurance.CHANNEL),
        Identity("email", "jane@acme.example", Assurance.PROVEN),
    ],
    ids=["vouched", "proven"],
)
async def test_an_address_known_otherwise_is_not_betrayed(identity: Identity) -> None:
    talk = Proving(HANDLER, contact=Contact(ContactId("con_1"), identities=(identity,)))
    outcome = await talk.says(WISH, "about_me")
    assert outcome.text == line("verify.ask")


async def test_the_right_code_proves_and_asks_whether_to_go_on() -> None:
    talk = await asked()
    outcome = await talk.types("good")
    assert effects_of(outcome, Prove) == [Prove("cod_1", "good")]
    assert outcome.text == line("verify.done_wish", wish=WISH)
    assert [r.value for r in outcome.quick_replies] == [WISH]
    assert effects_of(outcome, SetNote) == [SetNote({"resume": WISH})]
    assert talk.form is None


async def test_without_a_wish_there_is_nothing_to_go_on_with() -> None:
    talk = Proving(HANDLER)
    await talk.says("verify me", "verify")
    await talk.says("jane@acme.example")
    assert (await talk.types("good")).text == line("verify.done")


@pytest.mark.parametrize(
    ("seal", "said", "missed"),
    [
        ("bad", line("verify.wrong", left=3), True),
        ("last but one", line("verify.wrong_once"), True),
        ("last", line("verify.spent"), True),
        ("spent", line("verify.spent"), False),
        ("late", line("verify.spent"), False),
    ],
)
async def test_a_wrong_code_is_counted_and_said(seal: str, said: str, missed: bool) -> None:
    outcome = await (await asked()).types(seal)
    assert outcome.text == said
    assert bool(effects_of(outcome, CountMiss)) is missed
    assert not effects_of(outcome, Prove)


@pytest.mark.parametrize("text", ["New code", "it never arrived", "send it again please"])
async def test_a_new_code_on_request(text: str) -> None:
    outcome = await (await asked()).says(text)
    (code,) = effects_of(outcome, SendCode)
    assert code.value == "jane@acme.example"


@pytest.mark.parametrize(
    ("effect", "code", "said"),
    [
        (SendCode("email", "email", "a@b.example", "x"), "cap_reached", "verify.too_many"),
        (SendCode("sms", "phone", "+15550100199", "x"), "no_channel", "verify.no_channel"),
        (Prove("cod_1", "x"), "not_found", "verify.spent"),
        (CountMiss("cod_1"), "not_found", "verify.spent"),
    ],
)
async def test_what_the_commit_refuses_is_said(effect: Any, code: str, said: str) -> None:
    outcome = await (await asked()).says("x", refused=(RefusedEffect(effect, code),))
    assert outcome.text == line(said)


async def test_two_known_contacts_are_a_persons_matter() -> None:
    refused = (RefusedEffect(Prove("cod_1", "x"), "both_known"),)
    outcome = await (await asked()).says("x", refused=refused)
    assert outcome.next == "escalate"


async def test_never_asks_a_third_time() -> None:
    talk = Proving(HANDLER)
    said = [(await talk.says(WISH, "about_me")).text]
    said += [(await talk.says("hmm well")).text for _ in range(2)]
    assert said == [line("verify.ask"), line("verify.ask_again"), line("verify.stuck")]
    assert talk.form is None


async def test_a_way_out() -> None:
    outcome = await (await asked()).says("never mind")
    assert outcome.text == line("verify.ended")
    assert effects_of(outcome, SetForm) == [SetForm(None)]


async def test_a_side_question_is_answered_and_the_code_still_waited_for() -> None:
    talk = await asked()
    outcome = await talk.says("How do I export a board?", "question")
    assert line("verify.ask_code", address="j•••@acme.example") in (outcome.text or "")
    assert talk.form is not None


async def test_a_sender_anybody_may_have_forged_gets_a_person() -> None:
    talk = Proving(HANDLER, assurance=Assurance.CLAIMED, channel="email")
    outcome = await talk.says(WISH, "about_me")
    assert outcome.text == line("verify.offer", channel="email")
    assert labels(outcome) == [line("person.yes"), line("person.no")]


async def test_who_is_known_is_not_asked() -> None:
    talk = Proving(HANDLER, proven=True)
    assert (await talk.says("verify me", "verify")).text == line("verify.already")
