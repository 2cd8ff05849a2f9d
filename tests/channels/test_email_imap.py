"""Mail pulled from a real IMAP server (Dovecot), pushed by IDLE."""

import asyncio
import contextlib
import dataclasses
import imaplib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels._shared.mail_imap import ImapAccount, ImapSession, Place, place_of
from channels.email import CHANNEL, EmailSettings
from core.clock import FrozenClock
from core.contracts import Channel, Finding
from core.conversations import Inbox
from core.errors import BadInputError, UnavailableError
from core.ids import InboxId, TenantId
from core.messages import Event, Inbound
from tests import services
from tests.channels.mails import OURS, mail
from tests.channels.serving import MemoryState, channel_context

_numbers = itertools.count(1)
TENANT = TenantId("ten_1")
PATIENCE = 45.0  # far beyond need, where many watch files at once


@dataclass
class Box:
    """A mailbox of its own on the server, and a hand that puts mail into it."""

    port: int
    user: str

    async def put(self, text: str, number: int, flags: str = "", folder: str = "INBOX") -> None:
        raw = mail(text).replace(b"<1@b.example>", f"<{number}@b.example>".encode())
        await asyncio.to_thread(self._on, lambda link: link.append(folder, flags, None, raw))

    async def flags(self) -> list[bytes]:
        def look(link: imaplib.IMAP4) -> Any:
            link.select("INBOX", readonly=True)
            return link.fetch("1:*", "(FLAGS)")[1]

        return [bytes(line) for line in await asyncio.to_thread(self._on, look) if line]

    async def renumber(self) -> None:
        """Make the folder Desk anew, which gives it another UIDVALIDITY."""

        def anew(link: imaplib.IMAP4) -> None:
            link.delete("Desk")
            link.create("Desk")

        await asyncio.to_thread(self._on, anew)

    def _on(self, do: Callable[[imaplib.IMAP4], Any]) -> Any:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as link:
            link.login(self.user, services.DOVECOT_PASSWORD)
            return do(link)

    def settings(self, **changes: object) -> EmailSettings:
        given = {
            "address": OURS, "imap_host": "127.0.0.1", "imap_port": self.port, "imap_security": "none",
            "imap_username": self.user, "imap_password": services.DOVECOT_PASSWORD, "imap_timeout": 10,
            "smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_security": "none", "smtp_timeout": 2,
        }  # fmt: skip
        return EmailSettings.model_validate({**given, **changes})

    def inbox(self, **changes: object) -> Inbox:
        return Inbox(InboxId("inb_1"), TENANT, "email", OURS, settings=self.settings(**changes))


@dataclass
class Ear:
    """A sink. `fails` are errors to raise first."""

    heard: list[Inbound] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, event: Event) -> None:
        if self.fails:
            raise self.fails.pop(0)
        assert isinstance(event, Inbound)
        self.heard.append(event)
        self._more.set()

    async def texts(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()
        return [event.text for event in self.heard]


@pytest.fixture
async def box() -> Box:
    service = await asyncio.to_thread(services.ensure, "dovecot")
    return Box(service.port, f"box{next(_numbers)}-{id(object())}")


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def channel(clock: FrozenClock, state: MemoryState) -> Channel:
    return CHANNEL.build(channel_context(clock, state))


@contextlib.asynccontextmanager
async def listening(channel: Any, inbox: Inbox, ear: Ear) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.listen(inbox, ear))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, UnavailableError):
            await task


async def settled(state: MemoryState, before: Place | None = None) -> Place:
    """The place that was kept, once there is one that is not `before`."""
    async with asyncio.timeout(PATIENCE):
        while not state.rows or place_of(next(iter(state.rows.values()))) == before:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    return place_of(next(iter(state.rows.values())))


async def test_what_waits_is_taken_and_what_comes_is_pushed(channel: Channel, box: Box) -> None:
    await box.put("read by somebody", 1, "(\\Seen)")
    await box.put("waiting", 2)
    ear = Ear()
    async with listening(channel, box.inbox(), ear):
        assert await ear.texts(1) == ["waiting"]
        await box.put("pushed", 3)
        assert await ear.texts(2) == ["waiting", "pushed"]
        await box.put("pushed again", 4)
        assert await ear.texts(3) == ["waiting", "pushed", "pushed again"]
    assert [event.external_id for event in ear.heard] == [f"<{n}@b.example>" for n in (2, 3, 4)]


async def test_mail_that_a_person_read_first_is_not_missed(
    channel: Channel, box: Box, state: MemoryState
) -> None:
    await box.put("first", 1)
    ear = Ear()
    async with listening(channel, box.inbox(), ear):
        await ear.texts(1)
        await settled(state)
    await box.put("opened on a phone before us", 2, "(\\Seen)")
    async with listening(channel, box.inbox(), ear):
        assert await ear.texts(2) == ["first", "opened on a phone before us"]


async def test_seen_only_after_it_was_kept(channel: Channel, box: Box, state: MemoryState) -> None:
    await box.put("precious", 1)
    ear = Ear(fails=[UnavailableError("the database is down")])
    async with listening(channel, box.inbox(), ear) as task:
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(asyncio.shield(task), PATIENCE)
    assert b"Seen" not in (await box.flags())[0]
    assert state.rows == {}
    async with listening(channel, box.inbox(), ear):
        assert await ear.texts(1) == ["precious"]
        await settled(state)
    assert b"Seen" in (await box.flags())[0]


async def test_what_can_never_be_kept_does_not_stop_the_rest(channel: Channel, box: Box) -> None:
    await box.put("poison", 1)
    await box.put("wholesome", 2)
    ear = Ear(fails=[BadInputError("never")])
    async with listening(channel, box.inbox(), ear):
        assert await ear.texts(1) == ["wholesome"]


async def test_a_renumbered_folder_is_read_anew(
    channel: Channel, box: Box, state: MemoryState
) -> None:
    await box.renumber()
    for number in (1, 2):
        await box.put(f"before {number}", number, folder="Desk")
    ear = Ear()
    async with listening(channel, box.inbox(imap_folder="Desk"), ear):
        await ear.texts(2)
        before = await settled(state)
    await box.renumber()
    await box.put("after", 3, folder="Desk")
    async with listening(channel, box.inbox(imap_folder="Desk"), ear):
        assert await ear.texts(3) == ["before 1", "before 2", "after"]
        after = await settled(state, before)
    assert (after.validity != before.validity, before.last, after.last) == (True, 2, 1)


async def test_two_listeners_take_the_same_mails_under_the_same_names(
    channel: Channel, box: Box
) -> None:
    """A lease keeps a second one away; if it fails, the Message-ID makes the mail a duplicate."""
    await box.put("once", 1)
    ears = (Ear(), Ear())
    async with listening(channel, box.inbox(), ears[0]), listening(channel, box.inbox(), ears[1]):
        await ears[0].texts(1)
        await box.put("twice", 2)
        await ears[1].texts(1)
    ids = {event.external_id for ear in ears for event in ear.heard}
    assert ids <= {"<1@b.example>", "<2@b.example>"}


async def test_without_idle_the_folder_is_asked(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels._shared.mail_imap._POLL_SECONDS", 0.05)
    monkeypatch.setattr(ImapSession, "can_idle", lambda self: False)
    took: list[bytes] = []
    came = asyncio.Event()

    async def take(raw: bytes) -> None:
        took.append(raw)
        came.set()

    async def keep(place: Place) -> None:
        pass

    following = asyncio.create_task(ImapSession(account(box)).follow(Place(), take, keep))
    await box.put("found", 1)
    async with asyncio.timeout(PATIENCE):
        await came.wait()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert len(took) == 1


def account(box: Box, **changes: Any) -> ImapAccount:
    given = box.settings()
    base = ImapAccount("127.0.0.1", box.port, "none", box.user, given.imap_password, "INBOX", 10.0)
    return dataclasses.replace(base, **changes)


async def test_an_idle_that_hears_nothing_ends_by_itself(box: Box) -> None:
    session = ImapSession(account(box), idle_seconds=0.05)
    async with asyncio.timeout(PATIENCE):
        await asyncio.to_thread(session.open)
        await asyncio.to_thread(session._wait)
        await asyncio.to_thread(session._wait)
    session.close()


async def test_a_server_that_goes_away_is_said(channel: Channel, box: Box) -> None:
    with pytest.raises(UnavailableError):
        await listen(channel, box.inbox(imap_port=services.free_port()))


async def listen(channel: Any, inbox: Inbox) -> None:
    listens: Callable[[Inbox, Ear], Awaitable[None]] = channel.listen
    await listens(inbox, Ear())


@pytest.mark.parametrize(
    ("changes", "ok", "said"),
    [
        ({}, True, "IDLE"),
        ({"imap_password": "wrong"}, False, "_PASSWORD"),
        ({"imap_folder": "Nowhere"}, False, "no folder 'Nowhere'"),
        ({"imap_security": "tls"}, False, "encrypted connection"),
    ],
)
async def test_the_mailbox_examined(
    channel: Any, box: Box, changes: dict[str, object], ok: bool, said: str
) -> None:
    found: tuple[Finding, ...] = await channel.examine(box.inbox(**changes))
    assert not found[0].ok, "nothing listens on the SMTP port"
    assert found[1].ok is ok
    assert said in found[1].sentence
    assert "hush" not in " ".join(finding.sentence for finding in found)
