"""The simulator over loopback: its webhooks pass the real adapters, and theirs reach its stand-ins."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from types import SimpleNamespace

import jwt
import pytest
import websockets

from app.settings import ServerSettings
from app.simulator import people
from app.simulator.mailbox import File, Letter
from app.simulator.page import identity_of_jordan
from app.simulator.wiring import Simulator
from channels import sms, web
from channels._shared.web_token import read_identity
from core.clock import FrozenClock
from core.errors import BadInputError, NotFoundError, SignatureError, UnavailableError
from core.ids import ConversationId
from core.messages import (
    Assurance,
    Attachment,
    ConsentChange,
    Ignored,
    Inbound,
    QuickReply,
    Receipt,
    TeamAction,
    TeamCard,
)
from tests.app.simulator.rig import ALERTS, HELP, JORDAN, MAIL, SPECS, Rig, ask, get, running


@pytest.fixture
async def rig(clock: FrozenClock) -> AsyncIterator[Rig]:
    async with running(clock) as made:
        yield made


# ---------------------------------------------------------------- settings


def test_the_settings_make_every_channel_complete(clock: FrozenClock) -> None:
    settings = ServerSettings(environment="development", port=8123, _env_file=None)
    given = Simulator(settings, clock).channel_settings()
    read = {name: spec.settings(_env_file=None, **given[name]) for name, spec in SPECS.items()}
    pairs = {name: spec.configured(read[name]) for name, spec in SPECS.items()}
    assert pairs == {
        "sms": [(people.OUR_NUMBER, "customer")],
        "voice": [(people.OUR_NUMBER, "customer")],
        "whatsapp": [(people.OUR_NUMBER, "customer")],
        "slack": [("T0USHER", "customer"), (f"T0USHER/{ALERTS}", "team")],
        "email": [(people.OUR_ADDRESS, "customer")],
        "web": [("demo-widget", "customer")],
    }


def test_every_process_has_secrets_of_its_own(clock: FrozenClock) -> None:
    settings = ServerSettings(_env_file=None)
    one, two = (Simulator(settings, clock).channel_settings() for _ in range(2))
    secret = {"sms": "auth_token", "slack": "signing_secret", "email": "webhook_secret"}
    assert all(one[name][key] != two[name][key] for name, key in secret.items())


async def test_a_channel_that_leads_elsewhere_is_named(rig: Rig) -> None:
    real = sms.SmsSettings(account_sid=f"AC{'1' * 32}", _env_file=None)
    settings = {**rig.settings, "sms": real}
    await rig.simulator.mails.stop()
    inboxes = SimpleNamespace(settings=settings.__getitem__)
    await rig.simulator.open(SimpleNamespace(inboxes=inboxes))  # type: ignore[arg-type] # all it asks for
    assert rig.simulator.unused == ("sms",)


# ---------------------------------------------------------------- phone


async def test_a_text_passes_the_adapter(rig: Rig) -> None:
    await rig.simulator.text(JORDAN, "How do I invite a teammate?")
    (event,) = rig.events
    assert isinstance(event, Inbound)
    assert (event.sender, event.text) == (JORDAN, "How do I invite a teammate?")


@pytest.mark.parametrize(("word", "granted"), [("STOP", False), ("start", True), ("HELP", None)])
async def test_a_keyword_changes_consent(rig: Rig, word: str, granted: bool | None) -> None:
    await rig.simulator.text(JORDAN, word)
    (event,) = rig.events
    assert isinstance(event, ConsentChange)
    assert event.granted is granted


async def test_what_we_send_is_reported_sent_then_delivered(rig: Rig) -> None:
    replies = (QuickReply("Yes", "yes"), QuickReply("No", "no"))
    sid = await rig.send("sms", JORDAN, "Shall I book it?", quick_replies=replies)
    await rig.until(lambda: len(rig.events) == 2)
    assert rig.events == [Receipt(sid, "sent"), Receipt(sid, "delivered")]
    (message,) = rig.simulator.phone(JORDAN)
    assert (message.status, message.direction) == ("delivered", "outbound-api")
    assert "1. Yes\n2. No" in message.body


async def test_a_phone_that_is_off_gets_nothing(rig: Rig) -> None:
    rig.simulator.set_phone(JORDAN, on=False)
    sid = await rig.send("sms", JORDAN, "Hello")
    await rig.until(lambda: len(rig.events) == 2)
    receipt = rig.events[-1]
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id, receipt.status) == (sid, "failed")
    assert "30003" in str(receipt.error)


async def test_a_text_nobody_takes_is_said_so(rig: Rig) -> None:
    rig.refuse = 503
    with pytest.raises(UnavailableError, match="503"):
        await rig.simulator.text(JORDAN, "Hello")


async def test_a_text_with_another_secret_is_refused(rig: Rig) -> None:
    rig.simulator.twilio.auth_token = "another"
    with pytest.raises(UnavailableError, match=str(SignatureError.status)):
        await rig.simulator.text(JORDAN, "Hello")
    assert rig.events == []


async def test_a_number_that_is_none_is_refused(rig: Rig) -> None:
    with pytest.raises(BadInputError):
        await rig.simulator.text("0555", "Hello")


# ---------------------------------------------------------------- mailbox


async def answered(rig: Rig, letter: Letter, text: str = "Open **Settings**.") -> Letter:
    await rig.send(
        "email",
        letter.sender,
        text,
        conversation_id=ConversationId("cnv_77"),
        thread=letter.message_id,
        references=(letter.message_id,),
        subject=letter.subject,
    )
    await rig.until(lambda: rig.simulator.mailbox(letter.sender)[-1].incoming)
    return rig.simulator.mailbox(letter.sender)[-1]


@pytest.mark.parametrize(
    ("authenticated", "assurance"), [(True, Assurance.PROVEN), (False, Assurance.CLAIMED)]
)
async def test_a_mail_passes_the_adapter(
    rig: Rig, authenticated: bool, assurance: Assurance
) -> None:
    await rig.simulator.mail(MAIL, "Invite", "How do I invite?", authenticated=authenticated)
    (event,) = rig.events
    assert isinstance(event, Inbound)
    assert (event.sender, event.text, event.subject) == (MAIL, "How do I invite?", "Invite")
    assert (event.assurance, event.display_name) == (assurance, "Jordan Lee")


async def test_a_reply_keeps_the_thread_and_the_conversation(rig: Rig) -> None:
    first = await rig.simulator.mail(MAIL, "Invite", "How do I invite?")
    answer = await answered(rig, first)
    assert answer.answer_to.startswith("support+cnv_77.")
    reply = await rig.simulator.mail(MAIL, "", "Thanks, that worked.", answers=answer)
    assert reply.subject == "Re: Invite"
    assert reply.references == [first.message_id, answer.message_id]
    assert "\n> Open Settings." in reply.text
    event = rig.events[-1]
    assert isinstance(event, Inbound)
    assert (event.text, event.conversation_id) == ("Thanks, that worked.", "cnv_77")


async def test_a_thread_is_one_thread_on_the_page(rig: Rig) -> None:
    first = await rig.simulator.mail(MAIL, "Invite", "How do I invite?")
    answer = await answered(rig, first)
    await rig.simulator.mail(MAIL, "", "Thanks.", answers=answer)
    await rig.simulator.mail(MAIL, "Another", "Something else")
    boxes = (await get(rig, "/state")).json()["mail"]["mailboxes"]
    (box,) = [b for b in boxes if b["address"] == MAIL]
    assert [(t["subject"], len(t["mails"])) for t in box["threads"]] == [
        ("Invite", 3),
        ("Another", 1),
    ]


async def test_an_attachment_arrives(rig: Rig) -> None:
    file = {"name": "log.txt", "type": "text/plain", "data": "aGVsbG8="}
    body = {"sender": MAIL, "subject": "Log", "body": "See there", "file": file}
    assert (await ask(rig, "/mail", body)).status_code == 204
    (event,) = rig.events
    assert isinstance(event, Inbound)
    (found,) = event.attachments
    assert (found.name, found.content_type, found.size) == ("log.txt", "text/plain", 5)


async def test_an_invitation_is_a_card_and_a_download(rig: Rig) -> None:
    ics = (
        b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Onboarding\r\n"
        b"DTSTART:20260310T150000Z\r\nDTEND:20260310T154500Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    invite = Attachment("invite.ics", "text/calendar", len(ics), ics)
    await rig.send("email", MAIL, "Booked.", attachments=(invite,))
    await rig.until(lambda: rig.simulator.mailbox(MAIL))
    (box, *_) = (await get(rig, "/state")).json()["mail"]["mailboxes"]
    (mail,) = box["threads"][0]["mails"]
    (file,) = mail["files"]
    assert file["event"] == {
        "method": "REQUEST",
        "status": "",
        "title": "Onboarding",
        "place": "",
        "start": "2026-03-10T15:00:00+00:00",
        "end": "2026-03-10T15:45:00+00:00",
    }
    answer = await get(rig, f"/mail/{mail['id']}/file/0")
    assert answer.content == ics
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_mails_html_runs_nothing(rig: Rig) -> None:
    await rig.send("email", MAIL, "Open **Settings**.")
    await rig.until(lambda: rig.simulator.mailbox(MAIL))
    (letter,) = rig.simulator.mailbox(MAIL)
    answer = await get(rig, f"/mail/{letter.id}/page")
    assert "<strong>Settings</strong>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


async def test_a_mail_nobody_takes_says_why(rig: Rig) -> None:
    rig.refuse = 503
    with pytest.raises(UnavailableError):
        await rig.simulator.mail(MAIL, "Invite", "How do I invite?")
    (letter,) = rig.simulator.mailbox(MAIL)
    assert letter.trouble == "our own webhook refused it (503)"


@pytest.mark.parametrize("sender", ["nobody", "a b@acme.example", "x@y@acme.example"])
async def test_a_sender_without_an_address_is_refused(rig: Rig, sender: str) -> None:
    with pytest.raises(BadInputError):
        await rig.simulator.mail(sender, "Invite", "How do I invite?")


async def test_a_subject_of_two_lines_is_refused(rig: Rig) -> None:
    with pytest.raises(BadInputError):
        await rig.simulator.mail(
            MAIL, "one\r\nBcc: x@y.example", "text", file=File("a", "a/b", b"")
        )


# ---------------------------------------------------------------- Slack


def cards(rig: Rig, conversation: str = "cnv_9") -> TeamCard:
    return TeamCard(
        title="Ana needs a person",
        text="They ask about SSO",
        severity="high",
        conversation_id=ConversationId(conversation),
        buttons=("claim", "resolve"),
    )


async def test_a_mention_is_heard_twice_and_is_one_message(rig: Rig) -> None:
    ts = await rig.simulator.slack_say("#help-lumen", "U0ANA", "@usher how do I <invite>?")
    first, second = rig.events
    assert isinstance(first, Inbound)
    assert isinstance(second, Inbound)
    assert first.external_id == second.external_id == f"T0USHER:{HELP}:{ts}"
    assert first.text == "how do I <invite>?"


async def test_talk_among_people_is_not_for_us(rig: Rig) -> None:
    await rig.simulator.slack_say("help-lumen", "U0ANA", "anybody at lunch?")
    assert [type(event) for event in rig.events] == [Ignored]


async def test_an_answer_stands_in_the_thread(rig: Rig) -> None:
    ts = await rig.simulator.slack_say("help-lumen", "U0ANA", "@usher hello")
    await rig.send("slack", HELP, "Hello Ana", thread=f"slack:T0USHER:{HELP}:{ts}")
    answer = rig.simulator.channel("help-lumen")[-1]
    assert (answer["text"], answer["thread_ts"], answer["bot_id"]) == ("Hello Ana", ts, "B0USHER")
    await rig.simulator.slack_say("help-lumen", "U0ANA", "and roles?", thread=ts)
    event = rig.events[-1]
    assert isinstance(event, Inbound)
    assert event.thread == f"slack:T0USHER:{HELP}:{ts}"


async def test_a_direct_message_needs_no_mention(rig: Rig) -> None:
    await rig.simulator.slack_say("U0ANA", "U0ANA", "hello")
    (event,) = rig.events
    assert isinstance(event, Inbound)
    assert event.reply_to == "D0ANA"


async def alert(rig: Rig) -> str:
    await rig.send("slack", ALERTS, "", card=cards(rig))
    return str(rig.simulator.channel("cs-alerts")[-1]["ts"])


@pytest.mark.parametrize(
    ("button", "kind"), [("usher_claim", "claim"), ("usher_resolve", "resolve")]
)
async def test_a_button_acts_on_the_conversation(rig: Rig, button: str, kind: str) -> None:
    ts = await alert(rig)
    await rig.simulator.press("cs-alerts", ts, button, "U0MAYA")
    (event,) = rig.events
    assert isinstance(event, TeamAction)
    assert (event.kind, event.conversation_id) == (kind, "cnv_9")
    assert (event.actor, event.actor_name) == ("U0MAYA", "Maya Okafor")


async def test_a_button_that_is_not_there_cannot_be_pressed(rig: Rig) -> None:
    ts = await alert(rig)
    with pytest.raises(NotFoundError):
        await rig.simulator.press("cs-alerts", ts, "usher_hand_back", "U0MAYA")


@pytest.mark.parametrize(
    ("said", "kind", "text"), [("On it", "reply", "On it"), ("// ask sales", "note", "ask sales")]
)
async def test_a_csm_replies_or_notes_under_the_alert(
    rig: Rig, said: str, kind: str, text: str
) -> None:
    ts = await alert(rig)
    await rig.simulator.slack_say("cs-alerts", "U0NOAH", said, thread=ts)
    (event,) = rig.events
    assert isinstance(event, TeamAction)
    assert (event.kind, event.text, event.actor) == (kind, text, "U0NOAH")


async def test_strangers_to_the_workspace_cannot_write(rig: Rig) -> None:
    with pytest.raises(BadInputError):
        await rig.simulator.slack_say("help-lumen", "U0NOBODY", "@usher hello")


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize("channel", ["sms", "slack"])
async def test_failures_are_ordered_used_up_and_cleared(rig: Rig, channel: str) -> None:
    order = {"channel": channel, "how": "rate_limited", "times": 3}
    assert (await ask(rig, "/fail", order)).status_code == 204
    assert rig.simulator.switches[channel].waiting == 3
    await ask(rig, "/fail", {"channel": channel, "how": "clear"})
    assert rig.simulator.switches[channel].waiting == 0


async def test_a_text_taken_without_an_answer_is_there_and_reported(rig: Rig) -> None:
    rig.simulator.fail("sms", "server_error_after")
    with pytest.raises(Exception, match=r"Twilio"):
        await rig.send("sms", JORDAN, "Hello")
    await rig.until(lambda: len(rig.events) == 2)
    assert [m.body for m in rig.simulator.phone(JORDAN)] == ["Hello"]


async def test_mail_fails_until_it_is_cleared(rig: Rig) -> None:
    rig.simulator.fail("email", "refused")
    with pytest.raises(Exception, match="550"):
        await rig.send("email", MAIL, "Hello")
    rig.simulator.fail("email", "clear")
    await rig.send("email", MAIL, "Hello")
    await rig.until(lambda: rig.simulator.mailbox(MAIL))


@pytest.mark.parametrize(
    ("channel", "how"), [("sms", "refused"), ("fax", "timeout_after"), ("email", "nothing")]
)
async def test_an_unknown_failure_is_refused(rig: Rig, channel: str, how: str) -> None:
    answer = await ask(rig, "/fail", {"channel": channel, "how": how})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


# ---------------------------------------------------------------- page


async def test_the_page_runs_nothing_but_its_files(rig: Rig) -> None:
    answer = await get(rig, "")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert answer.text.count("<script") == answer.text.count('<script type="module" src=') == 1
    assert (await get(rig, "/static/main.js")).status_code == 200


async def test_the_chat_page_carries_a_proven_identity(rig: Rig, clock: FrozenClock) -> None:
    page = (await get(rig, "/web")).text
    token = identity_of_jordan(rig.simulator)
    assert f'data-identity="{token}"' in page
    own = rig.settings["web"]
    assert isinstance(own, web.WebSettings)
    assert own.identity_secret is not None
    identity = read_identity(token, own.identity_secret.get_secret_value(), clock.now())
    assert (identity.external, identity.email, identity.phone, identity.name) == (
        "jordan",
        MAIL,
        JORDAN,
        "Jordan Lee",
    )
    assert identity.fresh
    assert "data-identity" not in (await get(rig, "/web?who=visitor")).text


async def test_an_identity_is_short_lived(rig: Rig, clock: FrozenClock) -> None:
    token = identity_of_jordan(rig.simulator)
    clock.advance(timedelta(hours=13))
    secret = rig.simulator.identity_secret
    assert not read_identity(token, secret, clock.now()).fresh
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, "x" * 40, algorithms=["HS256"])


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"host": "evil.example"}],
    ids=["origin", "opaque", "rebound"],
)
async def test_other_pages_cannot_act(rig: Rig, headers: Mapping[str, str]) -> None:
    answer = await ask(rig, "/text", {"number": JORDAN, "body": "Hello"}, **headers)
    assert answer.status_code == 403
    assert rig.events == []


async def test_its_own_page_can_act(rig: Rig) -> None:
    body = {"number": "+12025550199", "body": "Hello"}
    answer = await ask(rig, "/text", body, origin=rig.url)
    assert answer.status_code == 204
    state = (await get(rig, "/state")).json()
    (phone,) = [p for p in state["phone"]["phones"] if p["number"] == "+12025550199"]
    assert [m["body"] for m in phone["messages"]] == ["Hello"]


async def test_the_page_hears_of_changes(rig: Rig) -> None:
    url = rig.url.replace("http", "ws")
    async with websockets.connect(f"{url}/simulator/live", proxy=None) as socket:
        assert await socket.recv() == "changed"
        await rig.send("slack", HELP, "Hello")
        assert await asyncio.wait_for(socket.recv(), 10) == "changed"
