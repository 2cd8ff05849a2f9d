"""What holds for every channel: off without settings, and unmoved by whatever a stranger sends."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import describe
from core.clock import FrozenClock
from core.contracts import Channel, ChannelSpec, Received, WebhookRequest
from core.conversations import Inbox
from core.errors import AnomalousPayloadError, SignatureError, UnsupportedEventError
from core.ids import InboxId, TenantId
from core.settings import Section
from tests.channels.serving import MemoryState, channel_context
from tests.contract.channel_settings import WORKING, working

ROOT = Path(__file__).parents[2]
SPECS = describe.channels()
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
# On without any setting, with a key that opens nothing but a chat.
ON_BY_DEFAULT = {"web": [("demo-widget", "customer")]}
every_channel = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)

HEADER_NAMES = (
    "content-type", "content-length", "content-encoding", "host", "x-twilio-signature",
    "x-slack-signature", "x-slack-request-timestamp", "x-usher-signature", "x-usher-timestamp",
    "x-usher-recipient", "x-forwarded-proto", "i-twilio-idempotency-token",
)  # fmt: skip
CONTENT_TYPES = (
    "application/json", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=x",
    "multipart/form-data; boundary=b", "multipart/form-data", "message/rfc822", "text/plain", "", "/;;=",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(("", "0", "v0=", "v1=é", "v0=" + "0" * 64, "1772625600", "1e400", "-1", "Ā")),
    st.text(max_size=40),
)
HEADERS = st.builds(
    lambda kind, others: {**others, "content-type": kind},
    st.sampled_from(CONTENT_TYPES),
    st.dictionaries(st.sampled_from(HEADER_NAMES), VALUES, max_size=5),
)
BODIES = st.one_of(
    st.sampled_from(
        (
            b"", b"{", b"[]", b"null", b"7", b"{}", b'{"type": 7}', b'{"team_id": null, "event": []}',
            b'{"type": "url_verification"}', b"payload=%7B", b"payload=[]", b"payload=null",
            b"To=%00&From=&MessageSid=", b"To=+15550100&To=+15550100", b"%ff%fe=%", b"=&=&=",
            b"[" * 5000, b"--b\r\n\r\n\r\n--b--", b"--b\r\nContent-Disposition: form-data",
            b"--b\r\nContent-Disposition: form-data; name=body-mime\r\n\r\nTo: x\r\n--b--\r\n",
            b"From: \xff\xfe\r\nTo: <>\r\n\r\n", b"To: support@lumen.example\r\n\r\nhi",
        )
    ),
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
)  # fmt: skip
REQUESTS = st.builds(
    WebhookRequest,
    method=st.sampled_from(("POST", "GET", "PUT")),
    url=st.sampled_from(
        (
            "https://help.example.com/channels/x",
            "http://127.0.0.1:8000/channels/x/mime?team=T0LUMEN&a=%zz",
            "https://help.example.com/channels/x?bodySHA256=00&team=&team=",
            "//",
        )
    ),
    headers=HEADERS,
    body=BODIES,
)
REFUSALS = (SignatureError, AnomalousPayloadError, UnsupportedEventError)


def build(spec: ChannelSpec) -> Channel:
    return spec.build(channel_context(FrozenClock(NOON), MemoryState()))


def inboxes(spec: ChannelSpec) -> list[Inbox]:
    section = working(spec)
    return [
        Inbox(InboxId("ibx_1"), TenantId("demo"), spec.name, address, settings=section)
        for address, kind in spec.configured(section)
        if kind == "customer"
    ]


@every_channel
def test_without_settings_it_is_off(spec: ChannelSpec) -> None:
    assert spec.configured(spec.settings(_env_file=None)) == ON_BY_DEFAULT.get(spec.name, [])


@every_channel
def test_working_settings_make_an_inbox(spec: ChannelSpec) -> None:
    assert spec.name in WORKING, "say in tests/contract/channel_settings.py what turns it on"
    assert len(inboxes(spec)) == 1


@every_channel
def test_its_settings_have_a_prefix_of_their_own(spec: ChannelSpec) -> None:
    assert issubclass(spec.settings, Section)
    assert spec.settings.model_config["env_prefix"] == f"USHER_{spec.name.upper()}_"
    assert spec.settings.model_config["hide_input_in_errors"]


@every_channel
def test_no_secret_is_shown(spec: ChannelSpec) -> None:
    hidden = [s for s in describe.settings_of(spec.settings) if s.is_secret]
    names = [s.env.removeprefix(f"USHER_{spec.name.upper()}_").lower() for s in hidden]
    given_ones = [str(WORKING[spec.name][name]) for name in names if name in WORKING[spec.name]]
    assert [value for value in given_ones if value in repr(working(spec))] == []


@every_channel
def test_what_it_can_is_plausible(spec: ChannelSpec) -> None:
    can = spec.capabilities
    assert can.markup in {"plain", "markdown", "mrkdwn", "html", "whatsapp"}
    assert can.max_chars == 0 or can.max_chars >= 100
    assert 0 <= can.quiet <= 10
    assert can.idle_hours > 0


@every_channel
def test_it_has_a_page(spec: ChannelSpec) -> None:
    assert (ROOT / f"docs/channels/{spec.name}.md").is_file()


@every_channel
def test_locating_never_fails(spec: ChannelSpec) -> None:
    channel = build(spec)

    @settings(max_examples=150)
    @given(REQUESTS)
    def locate(request: WebhookRequest) -> None:
        found = channel.locate(request)
        assert found is None or isinstance(found, str)

    locate()


@every_channel
def test_garbage_is_refused_and_nothing_else(spec: ChannelSpec) -> None:
    channel, (inbox,) = build(spec), inboxes(spec)
    accepted: list[Received] = []

    async def knock(request: WebhookRequest) -> None:
        with contextlib.suppress(*REFUSALS):
            accepted.append(await channel.receive(request, inbox))

    with asyncio.Runner() as runner:

        @settings(max_examples=150)
        @given(REQUESTS)
        def receive(request: WebhookRequest) -> None:
            runner.run(knock(request))

        receive()
    assert [received.events for received in accepted] == []


@every_channel
@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}])
async def test_an_unsigned_request_is_not_believed(
    spec: ChannelSpec, headers: Mapping[str, str]
) -> None:
    request = WebhookRequest("POST", "https://help.example.com/channels/x", headers, b"{}")
    channel, (inbox,) = build(spec), inboxes(spec)
    with pytest.raises(REFUSALS):
        await channel.receive(request, inbox)
    await channel.close()
