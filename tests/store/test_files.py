"""Files stand in rows of their own: kept with their message, fetched later, linked for a while, erased."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.store.database import Database, db_now
from app.store.file_queue import SqlFileQueue
from app.store.files import SqlFiles
from app.store.models import files, messages, outbox
from core.clock import FrozenClock
from core.conversations import Csm
from core.errors import NotFoundError
from core.files import Judged
from core.ids import CsmId, TenantId
from core.messages import Attachment, ConsentChange, Inbound
from core.ports import Accepted
from tests.core.test_files import PDF, PNG
from tests.store.scene import DEMO, OTHER, Scene

MAYA = Csm(CsmId("csm_maya"), "Maya", "maya@lumen.example")
SHOT = Attachment("shot.png", "image/png", len(PNG), data=PNG)
REMOTE = Attachment("", "image/png", 0, url="https://media.example/secret-key/1")


@pytest.fixture
def kept(database: Database, clock: FrozenClock) -> SqlFiles:
    return SqlFiles(database, clock, "https://help.example/")


@pytest.fixture
def queue(database: Database, clock: FrozenClock) -> SqlFileQueue:
    return SqlFileQueue(database, clock)


async def carried(scene: Scene, accepted: Accepted) -> tuple[Attachment, ...]:
    (message, *_) = [
        m
        for m in await scene.reads.transcript(
            DEMO, accepted.conversation_id, 0, 50, customer_view=False
        )
        if m.id == accepted.message_id
    ]
    return message.attachments


async def notices(scene: Scene) -> list[str]:
    async with scene.database.read() as connection:
        found = await connection.execute(select(outbox.c.payload).order_by(outbox.c.position))
        return [row.payload["text"] for row in found]


async def test_bytes_stand_in_a_row_of_their_own(scene: Scene, kept: SqlFiles) -> None:
    accepted = await scene.says("see this", attachments=(SHOT,))
    (shown,) = await carried(scene, accepted)
    assert shown.id is not None
    assert (shown.name, shown.size, shown.data, shown.refused) == ("shot.png", len(PNG), None, "")
    async with scene.database.read() as connection:
        row = await connection.scalar(
            select(messages.c.attachments).where(messages.c.id == accepted.message_id)
        )
    assert "PNG" not in str(row)
    found = await kept.get(DEMO, shown.id)
    assert (found.data, found.content_type) == (PNG, "image/png")
    with pytest.raises(NotFoundError):
        await kept.get(OTHER, shown.id)


async def test_what_is_not_kept_says_why_and_leaves_no_bytes(scene: Scene) -> None:
    evil = Attachment("../x.png", "image/png", 4, data=b"MZ\x90\0")
    many = tuple(SHOT for _ in range(11))
    first = await carried(scene, await scene.says("", attachments=(evil,)))
    assert [(a.name, a.refused, a.id) for a in first] == [("x.png", "not_allowed", None)]
    second = await carried(scene, await scene.says("", attachments=many))
    assert [a.refused for a in second] == [""] * 10 + ["too_many"]
    async with scene.database.read() as connection:
        assert len((await connection.execute(select(files.c.id))).all()) == 10


async def test_a_message_that_comes_again_keeps_its_files_once(scene: Scene) -> None:
    inbox = scene.inboxes["demo:sms"]
    inbound = Inbound("sms", "SM1", "+14155550132", "", attachments=(SHOT, REMOTE))
    for _ in range(3):
        await scene.intake.accept(inbox, inbound, 0.0)
    async with scene.database.read() as connection:
        states = (await connection.execute(select(files.c.state))).scalars().all()
    assert sorted(states) == ["pending", "ready"]


async def test_a_url_is_fetched_after_the_commit(
    scene: Scene, kept: SqlFiles, queue: SqlFileQueue
) -> None:
    accepted = await scene.says("", "+14155550132", "sms", attachments=(REMOTE,))
    (before,) = await carried(scene, accepted)
    assert before.url is None  # a provider's keys may stand in it
    (pending,) = await queue.claim(5)
    assert (pending.url, pending.attempts, pending.channel) == (REMOTE.url, 1, "sms")
    assert pending.inbox is not None
    assert pending.inbox.channel == "sms"
    assert await queue.claim(5) == []  # somebody has it
    with pytest.raises(NotFoundError):
        await kept.get(DEMO, pending.id)
    judged = Judged("photo.png", "image/png")
    assert await queue.kept(pending, judged, PNG) == accepted.conversation_id
    (after,) = await carried(scene, accepted)
    assert (after.id, after.name, after.size) == (before.id, "photo.png", len(PNG))
    assert (await kept.get(DEMO, pending.id)).data == PNG
    async with scene.database.read() as connection:
        assert await connection.scalar(select(files.c.source)) is None
    assert await queue.kept(pending, judged, b"again") is None


async def test_a_fetch_that_was_broken_off_comes_back(scene: Scene, queue: SqlFileQueue) -> None:
    await scene.says("", attachments=(REMOTE,))
    (first,) = await queue.claim(5)
    async with scene.database.write() as connection:
        await connection.execute(update(files).values(due_at=db_now(-1)))
    (again,) = await queue.claim(5)
    assert (again.id, again.attempts) == (first.id, 2)
    await queue.retry(again, 30.0)
    assert await queue.claim(5) == []


async def test_the_customer_is_told_once_a_message(scene: Scene, queue: SqlFileQueue) -> None:
    accepted = await scene.says("", "+14155550132", "sms", attachments=(REMOTE, REMOTE))
    for pending in await queue.claim(5):
        judged = Judged(pending.name, pending.content_type, "too_large")
        assert await queue.refuse(pending, judged, "too large") == accepted.conversation_id
        assert await queue.refuse(pending, judged, "too large") is None
    assert await notices(scene) == ["too large"]
    assert [a.refused for a in await carried(scene, accepted)] == ["too_large"] * 2


async def test_after_stop_nothing_is_said(scene: Scene, queue: SqlFileQueue) -> None:
    sender = "+14155550132"
    await scene.says("", sender, "sms", attachments=(REMOTE,))
    stop = ConsentChange("sms", sender, "stop-1", "STOP", granted=False)
    await scene.intake.consent(scene.inboxes["demo:sms"], stop, None)
    (pending,) = await queue.claim(5)
    await queue.refuse(pending, Judged("x", "image/png", "too_large"), "too large")
    assert await notices(scene) == []


@pytest.mark.parametrize("more", [{"automatic": True}, {"inline": True}])
async def test_who_is_never_answered_or_waits_is_not_told(
    scene: Scene, queue: SqlFileQueue, more: dict[str, Any]
) -> None:
    await scene.says("", attachments=(REMOTE,), **more)
    (pending,) = await queue.claim(5)
    await queue.refuse(pending, Judged("x", "image/png", "unreachable"), "not reached")
    assert await notices(scene) == []


async def test_what_was_put_is_carried_once_by_the_tenants_own_message(
    scene: Scene, kept: SqlFiles
) -> None:
    put = await kept.put(DEMO, "plan.pdf", "application/pdf", PDF)
    foreign = await scene.says("", tenant=OTHER, attachments=(put,))
    mine = await scene.says("", attachments=(put,))
    again = await scene.says("", attachments=(put,))
    async with scene.database.read() as connection:
        rows = (await connection.execute(select(messages.c.id, messages.c.attachments))).all()
    shown = {row.id: row.attachments[0] for row in rows}
    assert shown[mine.message_id]["id"] == put.id
    assert shown[mine.message_id]["name"] == "plan.pdf"
    assert shown[foreign.message_id]["refused"] == "unreachable"
    assert shown[again.message_id]["refused"] == "unreachable"


async def test_a_person_sends_a_file_once(scene: Scene, kept: SqlFiles) -> None:
    accepted = await scene.says("hi")
    await scene.humans.take_over(DEMO, accepted.conversation_id, MAYA, None)
    put = await kept.put(DEMO, "plan.pdf", "application/pdf", PDF)
    assert put.id is not None
    talk = accepted.conversation_id
    sent = await scene.humans.reply(DEMO, talk, MAYA, "here", files=(put.id,))
    assert sent is not None
    assert [a.id for a in sent.attachments] == [put.id]
    with pytest.raises(NotFoundError):
        await scene.humans.reply(DEMO, talk, MAYA, "again", files=(put.id,))
    async with scene.database.read() as connection:
        payloads = (await connection.execute(select(outbox.c.payload))).scalars().all()
    assert [p["attachments"][0]["id"] for p in payloads if p["attachments"]] == [put.id]


async def test_a_file_that_may_not_be_kept_is_put_nowhere(kept: SqlFiles, scene: Scene) -> None:
    refused = await kept.put(DEMO, "x.html", "text/html", b"<html>")
    assert (refused.id, refused.refused) == (None, "not_allowed")


async def test_what_no_message_carried_goes_after_a_day(
    scene: Scene, kept: SqlFiles, clock: FrozenClock
) -> None:
    put = await kept.put(DEMO, "plan.pdf", "application/pdf", PDF)
    await scene.says("", attachments=(SHOT,))
    assert await kept.sweep() == 0
    clock.advance(timedelta(hours=25))
    assert await kept.sweep() == 1
    with pytest.raises(NotFoundError):
        await kept.get(DEMO, str(put.id))


async def test_a_link_ends_and_cannot_be_forged(
    scene: Scene, kept: SqlFiles, clock: FrozenClock
) -> None:
    put = await kept.put(DEMO, "plan.pdf", "application/pdf", PDF)
    file = str(put.id)
    url = await kept.link(DEMO, file, clock.now() + timedelta(hours=1))
    start, _, token = url.rpartition("/")
    assert start == "https://help.example/files"
    assert (await kept.linked(token)).data == PDF
    name, end, signature = token.split(".")
    later = f"{int(end, 16) + 3600:x}"
    for forged in (
        f"{name}.{later}.{signature}",
        f"{name}.{end}.{'A' * 43}",
        f"{name}.{end}.",
        token + "x",
        "",
        f"fil_{'0' * 32}.{end}.{signature}",
    ):
        with pytest.raises(NotFoundError):
            await kept.linked(forged)
    clock.advance(timedelta(hours=2))
    with pytest.raises(NotFoundError):
        await kept.linked(token)
    with pytest.raises(NotFoundError):
        await kept.link(OTHER, file, clock.now())
    with pytest.raises(NotFoundError):
        await kept.link(TenantId("nobody"), file, clock.now())


async def test_erasing_a_person_removes_their_files(scene: Scene, queue: SqlFileQueue) -> None:
    accepted = await scene.says("", attachments=(SHOT, REMOTE))
    other = await scene.says("", "visitor-2", attachments=(SHOT,))
    exported = await scene.directory.export_contact(DEMO, accepted.contact_id)
    listed = exported["files"]
    assert isinstance(listed, list)
    assert sorted((f["name"], f["state"]) for f in listed) == [
        ("file.png", "pending"),
        ("shot.png", "ready"),
    ]
    assert "secret-key" not in str(exported)
    (pending,) = await queue.claim(5)
    done = await scene.directory.erase_contact(DEMO, accepted.contact_id)
    assert done["files"] == 2
    assert await queue.kept(pending, Judged("x.png", "image/png"), PNG) is None
    async with scene.database.read() as connection:
        left = (await connection.execute(select(files.c.message_id))).scalars().all()
    assert left == [other.message_id]
