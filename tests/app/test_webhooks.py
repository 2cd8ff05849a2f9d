"""Providers' payloads through POST /channels/{name}: what is answered, and which rows come to be, on both databases."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.services import Services
from app.simulator import people
from app.simulator.mail_server import mailgun_form, signed_mail
from app.simulator.slack_api import SlackStandIn
from app.simulator.switches import SignedRequest
from app.simulator.twilio_api import TwilioStandIn
from app.store import models
from core.conversations import Inbox
from core.errors import UnavailableError
from core.messages import Inbound
from core.ports import Accepted
from tests.app.app_server import DEMO, PUBLIC, Server, running_app

PAYLOADS = Path(__file__).parents[1] / "channels" / "payloads"
FORM = "application/x-www-form-urlencoded"
ACCOUNT, SERVICE, OURS = "AC" + "1f" * 16, "MG" + "2e" * 16, "+15005550100"
TEAM, ALERTS = "T0CUSTOM1", "C0ALERTS1"
ADDRESS, MAIL_SECRET, GUN_KEY = "support@lumen.example", "hook-secret", "gun-key"
# who the payloads were written to
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "sms": {
        "account_sid": ACCOUNT,
        "auth_token": "shhh-1234",
        "from_number": OURS,
        "messaging_service_sid": SERVICE,
        "public_url": PUBLIC,
    },
    "slack": {
        "signing_secret": "signing-1",
        "team_id": TEAM,
        "bot_user_id": "U0USHER01",
        "alert_channel": ALERTS,
        "auto_channels": "C0AUTO001",
    },
    "email": {
        "address": ADDRESS,
        "webhook_secret": MAIL_SECRET,
        "mailgun_signing_key": GUN_KEY,
        "authserv_id": "mx.lumen.example",
    },
}
NOTHING: Mapping[str, int] = {}
NEW = {"contacts": 1, "identities": 1, "conversations": 1, "messages": 1}


def read(channel: str) -> dict[str, Any]:
    files = sorted((PAYLOADS / channel).glob("*.json"))
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files}


TEXTS, EVENTS = read("sms"), read("slack")
MAILS = {file.stem: file.read_bytes() for file in sorted((PAYLOADS / "email").glob("*.eml"))}


def twilio(server: Server) -> TwilioStandIn:
    url = f"{PUBLIC}/channels/sms"
    return TwilioStandIn(server.clock, ACCOUNT, "shhh-1234", url, {SERVICE: OURS})


def slack(server: Server) -> SlackStandIn:
    stand_in = SlackStandIn(server.clock, TEAM, signing_secret="signing-1")
    stand_in.webhook_url = f"{PUBLIC}/channels/slack"
    return stand_in


def text(server: Server, name: str) -> SignedRequest:
    form = [(key, value) for key, value in TEXTS[name]["form"]]
    return twilio(server).sign(f"{PUBLIC}/channels/sms", form)


def event(server: Server, name: str) -> SignedRequest:
    case = EVENTS[name]
    bodies = {
        "json": (json.dumps(case.get("json")).encode(), "application/json"),
        "payload": (urlencode({"payload": json.dumps(case.get("payload"))}).encode(), FORM),
        "form": (urlencode(case.get("form", {})).encode(), FORM),
    }
    (kind,) = bodies.keys() & case.keys()
    return slack(server).sign(*bodies[kind])


def mail(server: Server, raw: bytes, secret: str = MAIL_SECRET) -> SignedRequest:
    url, now = f"{PUBLIC}/channels/email", server.clock.now()
    return signed_mail(raw, url, secret, now, recipient=ADDRESS)


async def fresh(server: Server) -> None:
    """Forget everything that came in."""
    incoming = ("outbox", "messages", "turns", "handoffs", "alarms", "identities", "conversations")
    other = ("contacts", "receipts", "consents", "seen_events", "plugin_state")
    async with server.database.write() as connection:
        for name in (*incoming, *other):
            await connection.execute(models.metadata.tables[name].delete())


async def came_of(server: Server, *requests: SignedRequest) -> tuple[set[int], dict[str, int]]:
    """Return the statuses answered and how many rows each table gained."""
    before = await server.counts()
    answers = [await server.post(request) for request in requests]
    after = await server.counts()
    gained = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    return {answer.status_code for answer in answers}, gained


# ---------------------------------------------------------------- every payload we have


def text_rows(wanted: Mapping[str, Any]) -> Mapping[str, int]:
    kinds: Mapping[str, Mapping[str, int]] = {
        "Inbound": NEW,
        "Receipt": {"receipts": 1},
        "Ignored": NOTHING,
        "ConsentChange": {
            "seen_events": 1,
            "consents": int(wanted.get("granted") is not None),
            # Twilio answered the keyword itself, or we do
            "outbox": int(not wanted.get("provider_answered", False)),
        },
    }
    return {name: n for name, n in kinds[wanted["type"]].items() if n}


async def test_every_text_leaves_the_rows_it_should_and_a_redelivery_none(
    database_url: str,
) -> None:
    got, wanted = {}, {}
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        for name, case in TEXTS.items():
            await fresh(server)
            request = text(server, name)
            first, again = await came_of(server, request), await came_of(server, request, request)
            said = [(m.text, m.external_id, m.address) for m in await server.rows(models.messages)]
            got[name] = (first, again, said)
            expected = case["event"]
            message = [expected.get(key) for key in ("text", "external_id", "sender")]
            wanted[name] = (
                ({200}, text_rows(expected)),
                ({200}, NOTHING),
                [tuple(message)] * (expected["type"] == "Inbound"),
            )
    assert got == wanted


async def test_every_slack_event_leaves_the_rows_it_should_and_a_redelivery_none(
    database_url: str,
) -> None:
    got, wanted = {}, {}
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        for name, case in EVENTS.items():
            await fresh(server)
            for key in case.get("owned", ()):
                await server.services.state.put("slack", DEMO, key, {"ours": 1})
            request = event(server, name)
            retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
            again = replace(request, headers={**request.headers, **retry})
            status, gained = await came_of(server, request)
            gained.pop("plugin_state", None)  # the thread is ours from now on
            said = [(m.text, m.external_id, m.thread) for m in await server.rows(models.messages)]
            got[name] = (status, gained, await came_of(server, again, again), said)
            expected = case["event"]
            is_message = expected["type"] == "Inbound"
            message = [expected.get(key) for key in ("text", "external_id", "thread")]
            wanted[name] = (
                {200},
                (NOTHING, NEW)[is_message],
                ({200}, NOTHING),
                [tuple(message)] * is_message,
            )
    assert got == wanted


# name → the status of the message row, and its text
READ_MAILS = {
    "apple_spanish": (
        "received",
        "¿Y en el plan Pro? Es una pregunta larga que el programa parte en dos líneas.",
    ),
    "attachments": ("received", "See the picture."),
    "bounce_of_another": ("recorded", "Your mail could not be delivered."),
    "broken_charset": ("received", "café  closed"),
    "gmail_reply": ("received", "And on the Pro plan?"),
    "mailing_list": ("recorded", "News."),
    "new_question": ("received", "Hi there,\n\nhow do I export a board to CSV?\n\nAna"),
    "no_message_id": ("received", "Hello."),
    "out_of_office": ("recorded", "I am away until Monday."),
    "outlook_html_only": ("received", "The button is grey.\n\nJosé"),
    "posing_name": ("received", "Pay now."),
    "suppress_only": ("received", "How do I invite people?"),
    "thunderbird_inline": ("received", "Pro.\n\nFirefox 140."),
    "two_froms": ("received", "Hello."),
}
OTHER_MAILS = {
    "bounce": {"receipts": 1},
    "delayed": NOTHING,
    "headerless": NOTHING,
    "own_mail": NOTHING,
}


async def test_every_mail_leaves_the_rows_it_should_and_a_redelivery_none(
    database_url: str,
) -> None:
    got, wanted = {}, {}
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        for name in sorted(MAILS.keys() - {"forward"}):
            await fresh(server)
            request = mail(server, MAILS[name])
            first, again = await came_of(server, request), await came_of(server, request)
            said = [(m.status, m.text) for m in await server.rows(models.messages)]
            got[name] = (first, again, said)
            rows = OTHER_MAILS.get(name, NEW)
            read_as = [READ_MAILS[name]] if name in READ_MAILS else []
            wanted[name] = (({200}, rows), ({200}, NOTHING), read_as)
    assert got == wanted


async def test_a_forward_keeps_what_was_forwarded_also_by_way_of_mailgun(database_url: str) -> None:
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        url = f"{PUBLIC}/channels/email/mime"
        by_form = mailgun_form(MAILS["forward"], url, GUN_KEY, server.clock.now(), ADDRESS)
        assert await came_of(server, by_form) == ({200}, NEW)
        assert await came_of(server, by_form, mail(server, MAILS["forward"])) == ({200}, NOTHING)
        (row,) = await server.rows(models.messages)
        assert "What does this mean?" in row.text
        assert "Sync stopped with error 17." in row.text


# ---------------------------------------------------------------- what is particular


@pytest.mark.parametrize(
    ("name", "address"), [("question", OURS), ("question_messaging_service", SERVICE)]
)
async def test_a_text_belongs_to_the_sender_it_was_sent_to(
    database_url: str, name: str, address: str
) -> None:
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        assert await came_of(server, text(server, name)) == ({200}, NEW)
        (row,) = await server.rows(models.messages)
        (inbox,) = await server.rows(models.inboxes, id=row.inbox_id)
        assert inbox.address == address


async def test_the_same_text_many_times_at_once_is_one(database_url: str) -> None:
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        request = text(server, "question")
        answers = await asyncio.gather(*(server.post(request) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await server.rows(models.messages)) == 1
        assert len(await server.rows(models.conversations)) == 1


async def test_one_mention_under_two_events_at_once_is_answered_once_in_its_thread(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        world = server.simulator
        mention = f"<@{world.slack.bot_user_id}> how do I export?"
        requests = world.slack.say("U0ANA", people.HELP_CHANNEL, mention)
        assert len(requests) == 2
        retry = replace(requests[0], headers={**requests[0].headers, "x-slack-retry-num": "1"})
        answers = await asyncio.gather(*(server.post(r) for r in (*requests, retry)))
        assert {answer.status_code for answer in answers} == {200}
        await server.settled()
        assert len(await server.rows(models.messages, direction="in")) == 1
        question, *answer = world.channel(people.HELP_CHANNEL)
        assert [m["thread_ts"] for m in answer] == [question["ts"]]
        assert "Open the board and select Export" in answer[0]["text"]


async def test_an_edit_of_a_question_changes_nothing_and_asks_nothing_again(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        world = server.simulator
        ts = await world.slack_say(people.HELP_CHANNEL, "U0ANA", "@usher how do I export?")
        await server.settled()
        before = await server.counts()
        said = world.slack.find(people.HELP_CHANNEL, ts)
        assert said is not None
        edited = {
            "type": "message",
            "subtype": "message_changed",
            "channel": people.HELP_CHANNEL,
            "channel_type": "channel",
            "ts": f"{int(server.clock.now().timestamp())}.999999",
            "message": {**said, "text": f"{said['text']} please", "edited": {"user": "U0ANA"}},
            "previous_message": said,
        }
        assert (await server.post(world.slack.event(edited))).status_code == 200
        await server.settled()
        assert await server.counts() == before


async def test_a_thread_broadcast_goes_on_in_its_thread(database_url: str) -> None:
    async with running_app(database_url) as server:
        world = server.simulator
        root = await world.slack_say(people.HELP_CHANNEL, "U0ANA", "@usher how do I export?")
        await server.settled()
        stamp = int(server.clock.now().timestamp())
        broadcast = {
            "type": "message",
            "subtype": "thread_broadcast",
            "channel": people.HELP_CHANNEL,
            "channel_type": "channel",
            "user": "U0ANA",
            "text": "and how do I invite somebody?",
            "ts": f"{stamp}.888888",
            "thread_ts": root,
        }
        assert (await server.post(world.slack.event(broadcast))).status_code == 200
        await server.settled()
        assert len(await server.rows(models.conversations)) == 1
        newest = world.channel(people.HELP_CHANNEL)[-1]
        assert newest["thread_ts"] == root
        assert "choose People" in newest["text"]


async def test_automatic_mail_is_recorded_and_never_answered(database_url: str) -> None:
    async with running_app(database_url) as server:
        world = server.simulator
        for name in ("out_of_office", "mailing_list", "bounce_of_another", "suppress_only"):
            url, now = f"{server.url}/channels/email", server.clock.now()
            request = signed_mail(MAILS[name], url, world.mail_secret, now, people.OUR_ADDRESS)
            assert (await server.post(request)).status_code == 200
        await server.settled()
        sent = {box: len(mails) for box, mails in world.mails.mails.items() if mails}
        # the one that only asks for no automatic replies is a person's question
        assert sent == {"ana@acme.example": 1}
        statuses = [m.status for m in await server.rows(models.messages, direction="in")]
        assert sorted(statuses) == ["handled", "recorded", "recorded", "recorded"]


# ---------------------------------------------------------------- who is not let in


def requests_of(server: Server) -> dict[str, SignedRequest]:
    return {
        "sms": text(server, "question"),
        "slack": event(server, "mention_message"),
        "email": mail(server, MAILS["new_question"]),
    }


SIGNATURES = {
    "sms": "x-twilio-signature",
    "slack": "x-slack-signature",
    "email": "x-usher-signature",
}


async def test_what_is_not_signed_by_the_provider_leaves_nothing(database_url: str) -> None:
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        for channel, header in SIGNATURES.items():
            request = requests_of(server)[channel]
            unsigned = {k: v for k, v in request.headers.items() if k != header}
            forged = [
                replace(request, headers=unsigned),
                replace(request, headers={**unsigned, header: ""}),
                replace(request, headers={**unsigned, header: request.headers[header][::-1]}),
                replace(request, body=request.body + b" "),
            ]
            assert await came_of(server, *forged) == ({403}, NOTHING), channel
            problem = (await server.post(forged[0])).json()
            assert problem["status"] == 403
            # and it was nothing else that kept them out
            assert (await came_of(server, request))[0] == {200}, channel


def elsewhere(server: Server) -> dict[str, SignedRequest]:
    """The same, well signed, to addresses that are not ours."""
    form = dict(TEXTS["question"]["form"]) | {"To": "+15005550999"}
    body = {**EVENTS["mention_message"]["json"], "team_id": "T0NOBODY", "authorizations": []}
    raw = MAILS["new_question"].replace(ADDRESS.encode(), b"sales@elsewhere.example")
    signed = signed_mail(raw, f"{PUBLIC}/channels/email", MAIL_SECRET, server.clock.now())
    return {
        "sms": twilio(server).sign(f"{PUBLIC}/channels/sms", list(form.items())),
        "slack": slack(server).sign(json.dumps(body).encode(), "application/json"),
        "email": signed,
    }


async def test_an_address_that_is_not_ours_is_refused(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        for channel, request in elsewhere(server).items():
            assert await came_of(server, request) == ({403}, NOTHING), channel


async def test_a_team_inbox_takes_no_webhook(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        body = {**EVENTS["mention_message"]["json"], "team_id": f"{TEAM}/{ALERTS}"}
        body["authorizations"] = []
        request = slack(server).sign(json.dumps(body).encode(), "application/json")
        assert await came_of(server, request) == ({403}, NOTHING)


async def test_a_channel_without_a_webhook_is_a_plain_refusal(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        answered = {}
        for name in ("web", "api", "nobody", "x" * 60):
            request = SignedRequest("POST", f"{PUBLIC}/channels/{name}", {}, b"{}")
            answered[name] = (await server.post(request)).status_code
        assert set(answered.values()) <= {400, 403, 404, 422}, answered


# ---------------------------------------------------------------- bodies that are no message

GARBAGE = {
    "empty": b"",
    "zeroes": b"\x00" * 64,
    "bytes": bytes(range(256)) * 4,
    "brace": b"{",
    "deep": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "list": b"[]",
    "number": b"1e999",
    "form": b"a=1&" * 900,
    "percent": b"Body=%00%ff%zz&To=%00",
    "half_json": b'{"type":"event_callback","team_id":"T0CUSTOM1","event":{"type":"message"}}',
    "odd_json": b'{"type":["x"],"team_id":"T0CUSTOM1","event":[[]]}',
    "payload": urlencode({"payload": '{"team":{"id":"T0CUSTOM1"},"type":"block_actions","actions":[{}]}'}).encode(),
}  # fmt: skip


async def test_garbage_is_refused_whatever_it_is_called(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        before = await server.counts()
        answered = {}
        for channel in SIGNATURES:
            url = f"{PUBLIC}/channels/{channel}"
            for content_type in ("application/json", FORM, "multipart/form-data", ""):
                for name, body in GARBAGE.items():
                    request = SignedRequest("POST", url, {"content-type": content_type}, body)
                    answer = await server.post(request)
                    answered[channel, content_type, name] = answer.status_code
        assert set(answered.values()) <= {400, 403}, answered
        assert await server.counts() == before


async def test_garbage_that_slack_signed_is_refused_or_ignored(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        sign = slack(server).sign
        answered = {}
        for name, body in GARBAGE.items():
            for content_type in ("application/json", FORM):
                answer = await server.post(sign(body, content_type))
                answered[name, content_type] = answer.status_code
        assert set(answered.values()) <= {200, 400, 403}, answered
        assert answered["half_json", "application/json"] == 400
        assert answered["odd_json", "application/json"] == 200
        assert await server.rows(models.messages) == []


async def test_a_form_that_twilio_signed_and_is_no_text_is_refused(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        url = f"{PUBLIC}/channels/sms"
        for form in ([("To", OURS)], [("To", OURS), ("Body", "hi"), ("MessageSid", "SM1")]):
            assert await came_of(server, twilio(server).sign(url, form)) == ({400}, NOTHING)


async def test_nul_and_endless_text_are_kept_as_far_as_they_can_be(database_url: str) -> None:
    async with running_app(database_url, settings=SETTINGS, worker=False) as server:
        raw = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\nTo: support@lumen.example\r\n\r\n"
        long = raw + b"a\x00b " + b"word " * 20_000
        form = dict(TEXTS["question"]["form"]) | {"Body": "a\x00b"}
        short = twilio(server).sign(f"{PUBLIC}/channels/sms", list(form.items()))
        assert (await came_of(server, mail(server, long)))[0] == {200}
        assert (await came_of(server, short))[0] == {200}
        first, second = sorted(await server.rows(models.messages), key=lambda m: -len(m.text))
        assert len(first.text) == 32_000
        assert re.match("ab word word", first.text)
        assert first.metadata["truncated"] == "1"
        assert second.text == "ab"


async def test_fifty_megabytes_are_too_large(sqlite_url: str) -> None:
    async with running_app(sqlite_url, settings=SETTINGS, worker=False) as server:
        body = b"x" * 50_000_000
        urls = [f"{PUBLIC}/channels/{channel}" for channel in SIGNATURES]
        requests = [SignedRequest("POST", url, {"content-type": FORM}, body) for url in urls]
        assert await came_of(server, *requests) == ({413}, NOTHING)


# ---------------------------------------------------------------- when it cannot be kept


class DownIntake:
    """An intake whose database does not answer, until it does again."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.is_down = True

    async def accept(self, inbox: Inbox, inbound: Inbound, quiet: float) -> Accepted:
        if self.is_down:
            raise UnavailableError("the database does not answer")
        accepted: Accepted = await self._real.accept(inbox, inbound, quiet)
        return accepted


async def test_what_cannot_be_kept_is_asked_for_again(database_url: str) -> None:
    downs: list[DownIntake] = []

    def break_it(services: Services) -> Services:
        downs.append(DownIntake(services.intake))
        return replace(services, intake=downs[0])  # type: ignore[arg-type] # as far as it is asked

    async with running_app(
        database_url, settings=SETTINGS, worker=False, change=break_it
    ) as server:
        requests = requests_of(server).values()
        statuses, gained = await came_of(server, *requests)
        assert (statuses, gained.get("messages", 0)) == ({503}, 0)
        downs[0].is_down = False
        assert (await came_of(server, *requests))[0] == {200}
        assert len(await server.rows(models.messages)) == len(requests)
