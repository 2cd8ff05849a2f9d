"""Who answers: drafts a person decides about, pauses, and what a tenant set for channel, tier and intent."""

import pytest

from app.store.models import handoffs, labels, messages, outbox
from core.conversations import HandoffReason, Mode
from core.errors import ConflictError, PermanentDeliveryError
from tests.path.harness import MAYA, NOAH, TENANT, FakeProvider, Path, path

DRAFT = {"mode": "draft"}
PAUSES = [{"paused": True}, {"paused_channels": ["fake"]}, {"mode": "manual"}]


async def _proposed(usher: Path, external_id: str = "p", text: str = "hi") -> str:
    await usher.say(external_id, text)
    await usher.settle()
    newest = (await usher.rows(messages, messages.c.status == "proposed"))[-1]
    return str(newest["id"])


async def test_a_draft_is_proposed_and_not_sent(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**DRAFT)
        await _proposed(usher)
        assert usher.provider.texts() == []
        assert [j["state"] for j in await usher.rows(outbox)] == ["proposed"]


@pytest.mark.parametrize(
    ("action", "text", "sent", "kept"),
    [
        ("send", None, ["echo: hi"], ("echo: hi", "echo: hi")),
        ("edit", "Hello!", ["Hello!"], ("echo: hi", "Hello!")),
        ("discard", None, [], ("echo: hi", "")),
    ],
)
async def test_a_decided_draft_leaves_a_label(
    database_url: str, action: str, text: str | None, sent: list[str], kept: tuple[str, str]
) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**DRAFT)
        draft = await _proposed(usher)
        decided = await usher.humans.decide_draft(TENANT, draft, MAYA, action, text)
        await usher.settle()
        assert usher.provider.texts() == sent
        assert [decided.text] == (sent or ["echo: hi"])
        (label,) = await usher.rows(labels)
        assert (label["action"], label["csm_id"]) == (action, MAYA.id)
        assert (label["before"], label["after"]) == kept


@pytest.mark.parametrize("first", ["send", "discard"])
async def test_a_draft_is_decided_once(database_url: str, first: str) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**DRAFT)
        draft = await _proposed(usher)
        await usher.humans.decide_draft(TENANT, draft, MAYA, first, None)
        with pytest.raises(ConflictError):
            await usher.humans.decide_draft(TENANT, draft, NOAH, "edit", "mine")
        assert len(await usher.rows(labels)) == 1


async def test_a_takeover_withdraws_a_draft(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**DRAFT)
        draft = await _proposed(usher)
        (row,) = await usher.rows(messages, messages.c.id == draft)
        await usher.humans.take_over(TENANT, row["conversation_id"], MAYA, None)
        with pytest.raises(ConflictError):
            await usher.humans.decide_draft(TENANT, draft, MAYA, "send", None)
        await usher.settle()
        assert usher.provider.texts() == []


async def test_a_waiting_draft_does_not_hold_up_what_comes_later(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**DRAFT)
        await _proposed(usher, "p1", "one")
        second = await _proposed(usher, "p2", "two")
        await usher.humans.decide_draft(TENANT, second, MAYA, "send", None)
        await usher.settle()
        assert usher.provider.texts() == ["echo: two"]


@pytest.mark.parametrize("pause", PAUSES)
async def test_a_pause_asks_for_a_person_and_ends_with_the_next_message(
    database_url: str, pause: dict[str, object]
) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**pause)
        await usher.say("1", "hi")
        await usher.say("2", "hello?")
        await usher.settle()
        await usher.say("3", "anyone?")
        await usher.settle()
        assert usher.provider.texts() == ["[pipeline.paused]"]
        (asked,) = await usher.rows(handoffs)
        assert (asked["reason"], asked["state"]) == (HandoffReason.PAUSED, "requested")
        assert [c.text for c in usher.provider.cards()][-1] == "anyone?"

        await usher.set_policy()
        await usher.say("4", "and now")
        await usher.settle()
        await usher.set_policy(**pause)
        await usher.say("5", "gone again?")
        await usher.settle()
        assert usher.provider.texts() == [
            "[pipeline.paused]",
            "echo: and now",
            "[pipeline.paused]",
        ]


async def test_a_person_asked_for_after_a_pause_is_asked_for_in_earnest(database_url: str) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(paused=True)
        await usher.say("1", "hi")
        await usher.settle()
        await usher.set_policy()
        await usher.say("2", "human")
        await usher.settle()
        await usher.say("3", "still there?")
        await usher.settle()
        (asked,) = await usher.rows(handoffs)
        reasons = [dict(c.fields)["Reason"] for c in usher.provider.cards() if c.title]
        assert asked["reason"] == HandoffReason.ASKED
        assert reasons == [
            "The bot is paused and a customer is waiting",
            "The customer asked for a person",
        ]
        assert usher.provider.texts() == ["[pipeline.paused]", "[asked]", "[pipeline.holding]"]
        assert usher.provider.cards()[-1].text == "still there?"


async def test_a_conversation_set_to_manual_and_back(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("1", "hi")
        await usher.settle()
        await usher.humans.set_mode(TENANT, accepted.conversation_id, Mode.MANUAL, MAYA)
        await usher.say("2", "more")
        await usher.settle()
        await usher.humans.set_mode(TENANT, accepted.conversation_id, None, MAYA)
        await usher.say("3", "and more")
        await usher.settle()
        assert usher.provider.texts() == ["echo: hi", "[pipeline.paused]", "echo: and more"]


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ({"by_channel": {"fake": "draft"}}, []),
        ({"by_channel": {"sms": "draft"}}, ["echo: hi"]),
        ({"by_tier": {"gold": "draft"}}, ["echo: hi"]),
        ({"mode": "draft", "by_channel": {"fake": "auto"}}, []),
        ({"mode": "draft", "by_channel": {"fake": "manual"}}, ["[pipeline.paused]"]),
        ({"paused_channels": ["sms"]}, ["echo: hi"]),
    ],
)
async def test_the_most_careful_mode_that_applies_decides(
    database_url: str, policy: dict[str, object], sent: list[str]
) -> None:
    async with path(database_url) as usher:
        await usher.set_policy(**policy)
        await usher.say("1", "hi")
        await usher.settle()
        assert usher.provider.texts() == sent


async def test_anger_does_not_fire_twice_at_the_same_peak(database_url: str) -> None:
    async with path(database_url) as usher:
        accepted = await usher.say("1", "I am furious")
        await usher.settle()
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        await usher.humans.hand_back(TENANT, accepted.conversation_id, MAYA, None)
        await usher.say("2", "still furious")
        await usher.settle()
        assert usher.provider.texts() == ["[asked]", "echo: still furious"]


async def test_the_owner_hears_that_a_reply_never_arrived(database_url: str) -> None:
    provider = FakeProvider()
    async with path(database_url, provider) as usher:
        accepted = await usher.say("1", "human")
        await usher.settle()
        await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
        await usher.settle()
        await usher.humans.reply(TENANT, accepted.conversation_id, MAYA, "call me")
        provider.script.append(PermanentDeliveryError("no such number"))
        await usher.settle()
        assert provider.cards()[-1].text == "A message could not be delivered: “call me”"
