"""Files on their way: fetched after the commit behind the guard, refused with a word to the customer, carried out."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update

from app.files import Carrier, Download, Fetcher, FilesSettings
from app.store.database import db_now
from app.store.file_queue import SqlFileQueue
from app.store.files import SqlFiles
from app.store.models import files, messages
from core.contracts import Capabilities, HandlerSpec
from core.conversations import Inbox
from core.errors import (
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnknownOutcomeError,
)
from core.files import MAX_BYTES
from core.messages import Attachment
from core.ports import TenantPolicy
from core.reach import Reach
from handlers.files import HANDLER as FILES
from tests.core.test_files import PDF, PNG
from tests.path.harness import MAYA, TENANT, FakeProvider, Path, PlainLines, echo, hand_over, path

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
HANDLERS = {
    "answer": HandlerSpec("answer", echo),
    "escalate": HandlerSpec("escalate", hand_over),
    "files": FILES,
}


@dataclass
class Host:
    """A server of a test's own that answers what it is told."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return await self.answers[request.path](request)

    def says(self, where: str, status: int = 200, body: bytes = b"", **headers: str) -> str:
        async def answer(_request: web.Request) -> web.StreamResponse:
            named = {k.replace("_", "-"): v for k, v in headers.items()}
            return web.Response(status=status, body=body, headers=named)

        self.answers[where] = answer
        return self.url + where


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made = Host()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def download() -> AsyncIterator[Download]:
    made = Download(FilesSettings(_env_file=None, allow_hosts=("127.0.0.1",), timeout=5))
    yield made
    await made.close()


@pytest.fixture
async def usher(database_url: str) -> AsyncIterator[Path]:
    async with path(database_url, handlers=HANDLERS) as made:
        yield made


def store(usher: Path) -> SqlFiles:
    return SqlFiles(usher.database, usher.clock, "https://help.example")


def fetcher(usher: Path, download: Download, channel: Any = None) -> Fetcher:
    async def policy(_tenant: object) -> TenantPolicy:
        return TenantPolicy()

    return Fetcher(
        SqlFileQueue(usher.database, usher.clock),
        download,
        lambda _name: channel or usher.provider,
        lambda inbox: inbox,
        policy,
        lambda _policy: PlainLines(),
        usher.fanout,
        usher.metrics,
    )


async def carried(usher: Path) -> list[dict[str, object]]:
    rows = await usher.rows(messages, messages.c.direction == "in")
    return [a for row in rows for a in row["attachments"]]


def at(url: str) -> Attachment:
    return Attachment("shot", "image/png", 0, url=url)


async def test_a_file_by_url_is_kept_after_the_commit(
    usher: Path, host: Host, download: Download
) -> None:
    url = host.says("/1", body=PNG, content_type="image/png")
    await usher.say("a1", "see this", attachments=(at(url),))
    assert host.asked == []  # the provider got its answer first
    assert await fetcher(usher, download).round() == 1
    (shown,) = await carried(usher)
    assert (shown["name"], shown["size"], shown["refused"]) == ("shot.png", len(PNG), "")
    found = await store(usher).get(TENANT, str(shown["id"]))
    assert found.data == PNG
    assert await fetcher(usher, download).round() == 0


async def test_a_redirect_is_followed_and_asked_about_anew(
    usher: Path, host: Host, download: Download
) -> None:
    host.says("/2", body=PNG)
    there = host.says("/1", 302, location="/2")
    # 127.0.0.2 is this machine too, and not allowed
    inside = host.says("/3", 302, location="http://127.0.0.2:9/x")
    meta = host.says("/4", 307, location="http://169.254.169.254/latest/meta-data/")
    file = host.says("/5", 302, location="file:///etc/passwd")
    circle = host.says("/6", 302, location="/6")
    for n, url in enumerate((there, inside, meta, file, circle)):
        await usher.say(f"a{n}", "", attachments=(at(url),))
    await fetcher(usher, download).round()
    assert [a["refused"] for a in await carried(usher)] == ["", *["unreachable"] * 4]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "http://localhost/x", "http://10.0.0.1/x", "http://[::1]/x", "http://0x7f.1/x"],
)  # fmt: skip
async def test_nothing_inside_is_fetched(usher: Path, url: str) -> None:
    strict = Download(FilesSettings(_env_file=None))
    await usher.say("a1", "", attachments=(at(url),))
    await fetcher(usher, strict).round()
    (shown,) = await carried(usher)
    assert shown["refused"] == "unreachable"
    await strict.close()


async def test_a_name_that_changes_its_mind_is_not_followed(host: Host) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def resolve(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    url = host.says("/1", 302, location="/2").replace("127.0.0.1", "media.test")
    guarded = Download(FilesSettings(_env_file=None), Reach(["127.0.0.1"], resolve))
    with pytest.raises(Exception, match="private network"):
        await guarded.get(url, 1000)
    assert host.asked == ["/1"]
    await guarded.close()


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"MZ\x90\0", {"content_type": "image/png"}, "not_allowed"),
        (b"<html>", {"content_type": "image/png"}, "not_allowed"),
        (PDF, {"content_type": "image/png"}, "not_what_it_says"),
        (gzip.compress(PNG), {"content_encoding": "gzip"}, "unreachable"),
        (PNG + b"\0" * MAX_BYTES, {}, "too_large"),
    ],
    ids=["program", "page", "other kind", "compressed", "too large"],
)
async def test_what_is_refused_is_said_once(
    usher: Path, host: Host, download: Download, body: bytes, headers: dict[str, Any], reason: str
) -> None:
    url = host.says("/1", body=body, **headers)
    await usher.say("a1", "my question", attachments=(at(url), at(url)))
    await usher.settle()
    await fetcher(usher, download).round()
    await usher.settle()
    assert usher.provider.texts() == ["echo: my question", f"[files.{reason}]"]
    assert [a["refused"] for a in await carried(usher)] == [reason] * 2


async def test_a_body_without_an_end_is_cut_off(host: Host, download: Download) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    host.answers["/1"] = endless
    with pytest.raises(TooLargeError):
        await download.get(f"{host.url}/1", 200_000)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_come_later_is_tried_again_and_then_given_up(
    usher: Path, host: Host, download: Download, status: int
) -> None:
    url = host.says("/1", status)
    await usher.say("a1", "hi", attachments=(at(url),))
    await usher.settle()
    for _attempt in range(6):
        await fetcher(usher, download).round()
        async with usher.database.write() as connection:
            await connection.execute(
                update(files).where(files.c.state == "pending").values(due_at=db_now(-1))
            )
    await usher.settle()
    assert len(host.asked) == 5
    assert usher.provider.texts() == ["echo: hi", "[files.unreachable]"]


async def test_a_retry_waits(usher: Path, host: Host, download: Download) -> None:
    url = host.says("/1", 503)
    await usher.say("a1", "hi", attachments=(at(url),))
    assert await fetcher(usher, download).round() == 1
    assert await fetcher(usher, download).round() == 0
    assert len(host.asked) == 1


@dataclass
class Keyed(FakeProvider):
    """A channel whose files need its key."""

    found: bytes | Exception = PNG
    inboxes: list[str] = field(default_factory=list)

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        await asyncio.sleep(0)
        self.inboxes.append(f"{inbox.address} {attachment.url} {limit}")
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        (PNG, ""),
        (TooLargeError("x"), "too_large"),
        (PermanentDeliveryError("gone"), "unreachable"),
    ],
    ids=["kept", "too large", "gone"],
)
async def test_a_channel_fetches_with_its_own_key(
    usher: Path, download: Download, found: bytes | Exception, refused: str
) -> None:
    keyed = Keyed(found=found)
    await usher.say("a1", "hi", attachments=(at("https://media.example/1"),))
    await fetcher(usher, download, keyed).round()
    assert keyed.inboxes == [f"front https://media.example/1 {MAX_BYTES}"]
    assert [a["refused"] for a in await carried(usher)] == [refused]


async def test_a_channels_later_is_later(usher: Path, download: Download) -> None:
    keyed = Keyed(found=RetryableDeliveryError("busy", retry_after=20))
    await usher.say("a1", "hi", attachments=(at("https://media.example/1"),))
    await fetcher(usher, download, keyed).round()
    assert [a["refused"] for a in await carried(usher)] == [""]


# ---------------------------------------------------------------- what is answered


async def test_a_file_alone_is_answered_once_and_then_by_a_person(usher: Path) -> None:
    kept = Attachment("a.pdf", "application/pdf", len(PDF), data=PDF)
    await usher.say("a1", "", attachments=(kept,))
    await usher.settle()
    await usher.say("a2", "", attachments=(kept,))
    await usher.settle()
    assert usher.provider.texts() == ["[pipeline.attachment]", "[asked]"]


async def test_a_refused_file_beside_a_question_is_said_first(usher: Path) -> None:
    evil = Attachment("a.exe", "", 4, data=b"MZ\x90\0")
    await usher.say("a1", "how do I export?", attachments=(evil,))
    await usher.settle()
    assert usher.provider.texts() == ["[files.not_allowed]\n\necho: how do I export?"]


# ---------------------------------------------------------------- out


async def _reply_with_file(usher: Path, can: Capabilities) -> FakeProvider:
    kept = store(usher)
    usher.sender._load = Carrier(kept, {"fake": can}).load
    accepted = await usher.say("a1", "hi")
    await usher.humans.take_over(TENANT, accepted.conversation_id, MAYA, None)
    put = await kept.put(TENANT, "plan.pdf", "application/pdf", PDF)
    await usher.humans.reply(
        TENANT, accepted.conversation_id, MAYA, "here it is", files=(str(put.id),)
    )
    await usher.settle()
    provider: FakeProvider = usher.provider
    return provider


async def test_a_channel_with_media_carries_bytes_and_link(usher: Path) -> None:
    provider = await _reply_with_file(usher, Capabilities(media=("application/pdf",)))
    (sent,) = [o for o in provider.sent if o.card is None]
    (file,) = sent.attachments
    assert (sent.text, file.name, file.data) == ("here it is", "plan.pdf", PDF)
    assert file.url is not None
    assert (await store(usher).linked(file.url.rpartition("/")[2])).data == PDF


@pytest.mark.parametrize(
    "can",
    [Capabilities(), Capabilities(media=("image/*",)), Capabilities(media=("*/*",), media_bytes=3)],
    ids=["no media", "other media", "too large"],
)
async def test_a_channel_without_gets_a_link_the_same_every_time(
    usher: Path, can: Capabilities
) -> None:
    usher.provider.script = [UnknownOutcomeError("no answer")]
    provider = await _reply_with_file(usher, can)
    async with asyncio.timeout(20):
        while not provider.asked:
            await asyncio.sleep(0.1)
            await usher.sender.drain()
    await usher.settle()
    (sent,) = [o for o in provider.sent if o.card is None]
    start, link = sent.text.rsplit(" ", 1)
    assert (start, sent.attachments) == ("here it is\n\nplan.pdf:", ())
    assert link.startswith("https://help.example/files/fil_")
    again = await Carrier(store(usher), {"fake": can}).load(
        replace(sent, text="here it is", attachments=(await _stored(usher),))
    )
    assert again.text == sent.text


async def _stored(usher: Path) -> Attachment:
    (row,) = await usher.rows(files, files.c.name == "plan.pdf")
    return Attachment(row["name"], row["content_type"], row["size"], id=row["id"])


async def test_what_was_erased_is_not_carried(usher: Path) -> None:
    loaded = await Carrier(store(usher), {}).load(
        replace(
            (await _reply_with_file(usher, Capabilities())).sent[-1],
            text="here",
            attachments=(Attachment("a.pdf", "application/pdf", 1, id="fil_0"),),
        )
    )
    assert (loaded.text, loaded.attachments) == ("here", ())
