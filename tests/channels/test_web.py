"""Web chat: frames in and out, tokens, origins, delivery."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from channels import web
from channels._shared import web_frames as frames
from channels._shared import web_token as tokens
from core.contracts import ChannelContext, WebhookRequest
from core.conversations import Inbox
from core.errors import (
    BadInputError,
    ForbiddenError,
    MisconfiguredError,
    PermanentDeliveryError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedEventError,
)
from core.ids import ConversationId, InboxId, MessageId, OutboxId, PassageId, TenantId, TurnId
from core.messages import (
    Assurance,
    Author,
    IdentityClaim,
    MessageKind,
    Outbound,
    QuickReply,
    StoredMessage,
)
from core.turns import Citation
from tests.webchat import MemoryFanout

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DEMO = TenantId("demo")
SECRET = "the server's own secret, long enough"
TENANT_SECRET = "the widget secret of one tenant, long enough"


def frame(**fields: object) -> str:
    return json.dumps(fields)


# ---------------------------------------------------------------- frames in


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (frame(type="hello", key="demo-widget"), frames.Hello(key="demo-widget")),
        (frame(type="hello", visitor="a.b.c"), frames.Hello(token="a.b.c")),
        (
            frame(type="hello", key="k", conversation_id="cnv_1", seq=7, locale="es-MX"),
            frames.Hello(key="k", conversation_id="cnv_1", seq=7, locale="es"),
        ),
        (
            frame(type="send", client_id="c1", text=" ¿Qué tal? 👋 "),
            frames.Send(client_id="c1", text="¿Qué tal? 👋"),
        ),
        (frame(type="ack", seq=0), frames.Ack(seq=0)),
        (frame(type="typing"), frames.Typing()),
        (
            frame(type="feedback", message_id="msg_1", value="up"),
            frames.Feedback(message_id="msg_1", value="up"),
        ),
        (
            frame(type="feedback", message_id="msg_1", value=5),
            frames.Feedback(message_id="msg_1", value="5"),
        ),
        (b'{"type": "typing", "later": "fields are ignored"}', frames.Typing()),
        (
            frame(
                type="hello",
                key="k",
                zone="Europe/Madrid",
                link="a.b",
                resume="c.d",
                greeted=" Hi\n",
            ),
            frames.Hello(key="k", zone="Europe/Madrid", link="a.b", resume="c.d", greeted="Hi"),
        ),
        (frame(type="hello", key="k", zone="Mars/Olympus", about=5), frames.Hello(key="k")),
        (
            frame(type="send", client_id="c1", text="", files=["fil_1", "fil_1"]),
            frames.Send(client_id="c1", text="", files=("fil_1",)),
        ),
        (
            frame(type="about", name=" Kim\tLy ", email="KIM@acme.example", topic=""),
            frames.About(name="Kim Ly", email="kim@acme.example"),
        ),
        (frame(type="about", email="not an address"), frames.About()),
        (
            frame(type="reach", channel="sms", address="+34 (910) 55-01-99"),
            frames.Reach("sms", "+34910550199"),
        ),
        (frame(type="reach", channel="email"), frames.Reach("email", None)),
        (frame(type="transcript", email="Kim@acme.example"), frames.Transcript("kim@acme.example")),
    ],
)
def test_a_good_frame_is_understood(raw: str | bytes, expected: frames.Frame) -> None:
    assert frames.parse_frame(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "hello",
        "[]",
        "null",
        "1e999",
        '"send"',
        "[" * 50_000,
        "1" * 5000,
        b"\xff\xfe",
        b"\x00",
        frame(),
        frame(type=None),
        frame(type="shutdown"),
        frame(type=["send"]),
        frame(type="hello"),
        frame(type="hello", key=5),
        frame(type="hello", key="a b"),
        frame(type="hello", key="k\u0000"),
        frame(type="hello", key="k", seq=-1),
        frame(type="hello", key="k", seq="1"),
        frame(type="hello", key="k", seq=True),
        frame(type="hello", key="k", seq=2**31),
        frame(type="hello", key="k", seq=1.5),
        frame(type="hello", key="k", conversation_id="' OR 1=1"),
        frame(type="hello", key="k", identity={"sub": "me"}),
        frame(type="hello", key="k", identity="x" * 5000),
        frame(type="send", text="hi"),
        frame(type="send", client_id="c1"),
        frame(type="send", client_id="c1", text=""),
        frame(type="send", client_id="c1", text=" \n "),
        frame(type="send", client_id="c1", text=["hi"]),
        frame(type="send", client_id="c1", text="nul\u0000"),
        '{"type": "send", "client_id": "c1", "text": "half \\ud83d"}',
        frame(type="send", client_id="c" * 65, text="hi"),
        frame(type="send", client_id=1, text="hi"),
        frame(type="ack"),
        frame(type="ack", seq=None),
        frame(type="feedback", message_id="msg_1", value="meh"),
        frame(type="feedback", message_id="msg_1", value=True),
        frame(type="feedback", value="up"),
        frame(type="send", client_id="c1", text="hi", files="fil_1"),
        frame(type="send", client_id="c1", text="hi", files=["../fil"]),
        frame(type="send", client_id="c1", text="hi", files=["f"] * 6),
        frame(type="send", client_id="c1", text="", files=[]),
        frame(type="reach"),
        frame(type="reach", channel="fax", address="+34910550199"),
        frame(type="reach", channel="sms", address="0143"),
        frame(type="reach", channel="email", address="kim@acme"),
        frame(type="reach", channel="email", address="kim@acme.example\nBcc: a@b.example"),
        frame(type="transcript"),
        frame(type="transcript", email=["kim@acme.example"]),
        frame(type="transcript", email="a@b.example, c@d.example"),
    ],
)
def test_a_bad_frame_is_bad_input(raw: str | bytes) -> None:
    with pytest.raises(BadInputError):
        frames.parse_frame(raw)


@pytest.mark.parametrize(
    "raw",
    [
        frame(type="send", client_id="c1", text="x" * (frames.MAX_TEXT + 1)),
        "x" * (frames.MAX_FRAME + 1),
        b"\xff" * (frames.MAX_FRAME + 1),
    ],
)
def test_what_is_too_large_is_said_to_be(raw: str | bytes) -> None:
    with pytest.raises(TooLargeError):
        frames.parse_frame(raw)


def test_the_longest_message_fits_a_frame_whatever_it_is_written_in() -> None:
    text = "🙂" * frames.MAX_TEXT
    raw = json.dumps({"type": "send", "client_id": "c1", "text": text}, ensure_ascii=False)
    assert frames.parse_frame(raw) == frames.Send("c1", text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
field_names = (
    *("key", "token", "seq", "client_id", "text", "identity", "message_id", "value"),
    *("files", "about", "zone", "link", "name", "email", "topic", "channel", "address"),
)


@given(
    st.sampled_from(
        ["hello", "send", "ack", "typing", "feedback", "about", "reach", "transcript", "other"]
    ),
    st.dictionaries(st.sampled_from(field_names), json_values),
)
def test_no_frame_raises_anything_else(kind: str, fields: dict[str, object]) -> None:
    raw = json.dumps(fields | {"type": kind})
    try:
        parsed: object = frames.parse_frame(raw)
    except BadInputError as error:
        parsed = error
    assert isinstance(parsed, frames.Frame | BadInputError)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (frame(type="send", client_id="c1", text=""), "c1"),
        (frame(type="send", client_id="c 1", text=""), None),
        ("[]", None),
        ("{", None),
    ],
)
def test_a_refusal_names_the_message(raw: str, expected: str | None) -> None:
    assert frames.client_id_of(raw) == expected


# ---------------------------------------------------------------- frames out


def row(**changes: Any) -> StoredMessage:
    values: dict[str, Any] = {
        "id": MessageId("msg_1"),
        "conversation_id": ConversationId("cnv_1"),
        "seq": 3,
        "author": Author.BOT,
        "kind": MessageKind.REPLY,
        "text": "Open **Settings** [1].",
        "created_at": NOW,
        "channel": "web",
        "status": "sent",
        "turn_id": TurnId("trn_1"),
    }
    return StoredMessage(**(values | changes))


def test_a_row_becomes_a_message_with_all_it_carries() -> None:
    cited = Citation(1, PassageId("psg_1"), "team/invite.md", "Invite", "Roles", "Open Settings.")
    sent = web.message(row(citations=(cited,), quick_replies=(QuickReply("Yes", "yes"),)))
    assert json.loads(json.dumps(sent)) == {
        "type": "message",
        "id": "msg_1",
        "conversation_id": "cnv_1",
        "turn_id": "trn_1",
        "seq": 3,
        "author": "bot",
        "author_name": None,
        "kind": "reply",
        "channel": "web",
        "text": "Open **Settings** [1].",
        "citations": [
            {
                "number": 1,
                "document": "team/invite.md",
                "title": "Invite",
                "section": "Roles",
                "quote": "Open Settings.",
                "url": None,
            }
        ],
        "quick_replies": [{"label": "Yes", "value": "yes"}],
        "at": "2026-03-04T12:00:00+00:00",
    }


def test_a_customers_own_message_carries_its_client_id() -> None:
    own = web.message(row(author=Author.CUSTOMER, external_id="vis_9:c1"))
    elsewhere = web.message(row(author=Author.CUSTOMER, external_id="SM1", channel="sms"))
    assert own["client_id"] == "c1"
    assert "client_id" not in elsewhere


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"type": "draft", "turn_id": "t", "n": 1, "text": "So.", "secret": "no"},
            {"type": "draft", "turn_id": "t", "n": 1, "text": "So."},
        ),
        (
            {"type": "draft_end", "turn_id": "t", "reason": "takeover"},
            {"type": "draft_end", "turn_id": "t", "reason": "takeover"},
        ),
        (
            {"type": "typing", "author": "csm", "author_name": "Maya"},
            {"type": "typing", "author": "csm", "author_name": "Maya"},
        ),
        ({"type": "typing", "author": "customer"}, None),
        ({"type": "draft", "turn_id": "t", "n": "1", "text": "So."}, None),
        ({"type": "note", "text": "between us"}, None),
        ({}, None),
    ],
)
def test_only_previews_with_known_fields_are_passed_on(
    payload: dict[str, object], expected: dict[str, object] | None
) -> None:
    assert web.preview(payload) == expected


# ---------------------------------------------------------------- visitors


def test_a_visitor_token_comes_back_as_the_visitor_it_was_made_for() -> None:
    visitor = tokens.new_visitor(DEMO, "k")
    token = tokens.issue_visitor(visitor, SECRET, NOW)
    assert tokens.read_visitor(token, SECRET, NOW) == visitor
    assert tokens.read_visitor(token, SECRET, NOW + timedelta(days=179)) == visitor


def test_a_proven_visitor_keeps_the_proof() -> None:
    visitor = tokens.Visitor("vis_1", DEMO, "k", external="u1", proven_at=NOW)
    assert tokens.read_visitor(tokens.issue_visitor(visitor, SECRET, NOW), SECRET, NOW) == visitor


def good_token() -> str:
    return tokens.issue_visitor(tokens.new_visitor(DEMO, "k"), SECRET, NOW)


def unsigned() -> str:
    claims = {"aud": tokens.AUDIENCE, "sub": "vis_1", "tid": "demo", "key": "k", "exp": 9**10}
    return jwt.encode(claims, "", algorithm="none")


@pytest.mark.parametrize(
    ("token", "at"),
    [
        (good_token(), NOW + timedelta(days=181)),
        (good_token()[:-4] + "AAAA", NOW),
        (jwt.encode({"sub": "vis_1"}, SECRET, algorithm="HS256"), NOW),
        (
            jwt.encode(
                {"aud": tokens.AUDIENCE, "sub": "v", "tid": "demo", "key": "k", "exp": 9**10},
                SECRET,  # the raw secret is not the visitors' key
                algorithm="HS256",
            ),
            NOW,
        ),
        (unsigned(), NOW),
        ("", NOW),
        ("a.b.c", NOW),
        ("x" * 10_000, NOW),
    ],
)
def test_no_other_token_is_a_visitor(token: str, at: datetime) -> None:
    assert tokens.read_visitor(token, SECRET, at) is None


# ---------------------------------------------------------------- identities


def signed(key: str = TENANT_SECRET, minutes: float = 5, **claims: object) -> str:
    expires = (NOW + timedelta(minutes=minutes)).timestamp()
    return jwt.encode({"sub": "u1", "exp": expires} | claims, key, algorithm="HS256")


def test_an_identity_proves_its_addresses() -> None:
    token = signed(email=" Ana@Acme.Example ", phone="+1 (415) 555-0100", name="Ana\nDíaz")
    identity = tokens.read_identity(token, TENANT_SECRET, NOW)
    assert identity == tokens.SignedIdentity(
        "u1", True, "ana@acme.example", "+14155550100", "Ana Díaz"
    )
    assert identity.claims() == tuple(
        IdentityClaim(kind, value, Assurance.PROVEN)
        for kind, value in [
            ("external", "u1"),
            ("email", "ana@acme.example"),
            ("phone", "+14155550100"),
        ]
    )


def test_addresses_that_are_none_are_left_out() -> None:
    token = signed(email="nobody", phone="555", name=7, external_id="crm-1")
    identity = tokens.read_identity(token, TENANT_SECRET, NOW)
    assert identity == tokens.SignedIdentity("crm-1", fresh=True)


@pytest.mark.parametrize(
    "token",
    [
        signed(key="another tenant's secret, just as long"),
        signed(sub=""),
        signed(sub=None),
        signed(sub=7),
        signed(sub="x\0y"),
        signed(exp=None),
        signed(exp="soon"),
        signed(minutes=60 * 25),
        signed(exp=1e300),
        signed(nbf=(NOW + timedelta(hours=1)).timestamp()),
        jwt.encode({"sub": "u1", "exp": 9**10}, "", algorithm="none"),
        "junk",
    ],
)
def test_an_identity_that_does_not_hold_is_refused(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.read_identity(token, TENANT_SECRET, NOW)


def test_a_visitor_token_is_no_identity_even_with_the_same_secret() -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.read_identity(good_token(), SECRET, NOW)


ANA = tokens.SignedIdentity("ana", fresh=True)
BEN = tokens.SignedIdentity("ben", fresh=True)
STALE_ANA = tokens.SignedIdentity("ana", fresh=False)
ANONYMOUS = tokens.Visitor("vis_1", DEMO, "k")
PROVEN_ANA = tokens.Visitor("vis_1", DEMO, "k", "ana", NOW - timedelta(hours=1))
LONG_AGO_ANA = tokens.Visitor("vis_1", DEMO, "k", "ana", NOW - timedelta(hours=13))
ELSEWHERE = tokens.Visitor("vis_1", TenantId("other"), "k2")


@pytest.mark.parametrize(
    ("kept", "identity", "stays", "external"),
    [
        (None, None, False, None),
        (ANONYMOUS, None, True, None),
        (ANONYMOUS, ANA, True, "ana"),
        (PROVEN_ANA, ANA, True, "ana"),
        (PROVEN_ANA, STALE_ANA, True, "ana"),
        (PROVEN_ANA, None, False, None),  # logged out: a shared computer
        (PROVEN_ANA, BEN, False, "ben"),
        (ELSEWHERE, None, False, None),
        (ELSEWHERE, ANA, False, "ana"),
        (None, ANA, False, "ana"),
    ],
)
def test_who_sits_there(
    kept: tokens.Visitor | None,
    identity: tokens.SignedIdentity | None,
    stays: bool,
    external: str | None,
) -> None:
    settled = tokens.settle(kept, identity, DEMO, "k", NOW)
    assert (settled.id == "vis_1", settled.external) == (stays, external)
    assert (settled.tenant, settled.key) == (DEMO, "k")


@pytest.mark.parametrize("kept", [None, ANONYMOUS, LONG_AGO_ANA, ELSEWHERE])
def test_an_expired_identity_alone_proves_nothing(kept: tokens.Visitor | None) -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.settle(kept, STALE_ANA, DEMO, "k", NOW)


# ---------------------------------------------------------------- origins

LISTED = ("https://acme.example", "https://*.acme.example", "http://dev.example:8080")


@pytest.mark.parametrize(
    ("origin", "allowed", "development"),
    [
        ("https://acme.example", LISTED, False),
        ("https://acme.example:443", LISTED, False),
        ("https://app.acme.example", LISTED, False),
        ("https://a.b.acme.example", LISTED, False),
        ("http://dev.example:8080", LISTED, False),
        ("https://usher.example", (), False),
        ("http://usher.example:443", (), False),
        ("http://localhost:3000", (), True),
        ("http://127.0.0.1:8000", (), True),
        ("http://[::1]:8000", (), True),
        (None, (), True),
    ],
)
def test_pages_that_may(origin: str | None, allowed: tuple[str, ...], development: bool) -> None:
    tokens.require_origin(origin, "usher.example:443", allowed, development=development)


@pytest.mark.parametrize(
    ("origin", "allowed", "development"),
    [
        ("http://acme.example", LISTED, False),
        ("https://acme.example:8443", LISTED, False),
        ("https://evilacme.example", LISTED, False),
        ("https://acme.example.evil.example", LISTED, False),
        ("https://usher.example", LISTED, False),
        ("http://localhost:3000", LISTED, True),
        ("null", LISTED, False),
        (None, LISTED, True),
        ("http://localhost:3000", (), False),
        ("https://other.example", (), True),
        ("null", (), True),
        ("", (), True),
        ("https://[oops", (), True),
        ("http://usher.example:999999", (), False),
        (None, (), False),
    ],
)
def test_pages_that_may_not(
    origin: str | None, allowed: tuple[str, ...], development: bool
) -> None:
    with pytest.raises(ForbiddenError):
        tokens.require_origin(origin, "usher.example:443", allowed, development=development)


# ---------------------------------------------------------------- settings and delivery


def test_settings_make_one_inbox() -> None:
    assert web.configured(web.WebSettings(key="acme-1")) == [("acme-1", "customer")]
    assert web.configured(web.WebSettings(enabled=False)) == []


@pytest.mark.parametrize(
    "settings",
    [
        web.WebSettings(key="<script>"),
        web.WebSettings(key=""),
        web.WebSettings(identity_secret=SecretStr("short")),
    ],
)
def test_half_configured_stops_the_start(settings: web.WebSettings) -> None:
    with pytest.raises(MisconfiguredError):
        web.configured(settings)


INBOX = Inbox(InboxId("inb_1"), DEMO, "web", "k")


def outbound(**changes: Any) -> Outbound:
    values: dict[str, Any] = {
        "id": OutboxId("out_1"),
        "tenant": DEMO,
        "inbox": INBOX.id,
        "channel": "web",
        "address": "vis_1",
        "text": "secret enough not to be published",
        "author": Author.BOT,
        "kind": MessageKind.REPLY,
        "created_at": NOW,
        "conversation_id": ConversationId("cnv_1"),
        "message_id": MessageId("msg_1"),
        "seq": 4,
    }
    return Outbound(**(values | changes))


@pytest.fixture
def fanout() -> MemoryFanout:
    return MemoryFanout()


@pytest.fixture
def channel(fanout: MemoryFanout) -> web.WebChannel:
    nothing = cast(Any, None)
    return web.WebChannel(ChannelContext(nothing, fanout, nothing, nothing, nothing, nothing))


@pytest.mark.parametrize("method", ["deliver", "reconcile"])
async def test_delivery_publishes_where_to_look_and_nothing_else(
    channel: web.WebChannel, fanout: MemoryFanout, method: str
) -> None:
    sent = await getattr(channel, method)(outbound(), INBOX)
    assert sent.provider_id == "web:msg_1"
    assert fanout.published == [("conv:cnv_1", {"type": "message", "seq": 4})]


@pytest.mark.parametrize("missing", ["conversation_id", "message_id", "seq"])
async def test_a_message_of_no_conversation_is_refused_for_good(
    channel: web.WebChannel, fanout: MemoryFanout, missing: str
) -> None:
    with pytest.raises(PermanentDeliveryError):
        await channel.deliver(outbound(**{missing: None}), INBOX)
    assert fanout.published == []


async def test_there_is_no_webhook(channel: web.WebChannel) -> None:
    request = WebhookRequest("POST", "http://localhost/channels/web", {}, b"{}")
    assert channel.locate(request) is None
    with pytest.raises(UnsupportedEventError):
        await channel.receive(request, INBOX)
