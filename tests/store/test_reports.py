"""What the weekly report reads, and its card, on both databases."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from app.reporting import Reporter, report_json, report_text
from app.store.answers import SqlAnswers
from app.store.models import document_uses, inboxes, outbox
from app.store.reports import SqlReports
from core.effects import OpenGap
from core.ids import DocumentId
from core.ports import Chunk, Document
from tests.store.scene import DEMO, OTHER, Scene


@pytest.fixture
def reports(scene: Scene) -> SqlReports:
    return SqlReports(scene.database, scene.clock)


@pytest.fixture
def reporter(scene: Scene, reports: SqlReports) -> Reporter:
    answers = SqlAnswers(scene.database)
    return Reporter(
        scene.gaps, answers, reports, scene.directory, scene.clock, "https://usher.example"
    )


async def page(scene: Scene, path: str, **more: object) -> DocumentId:
    values: dict[str, object] = {"source": "handbook", "title": path.title(), "digest": path}
    document = Document(path=path, chunks=(Chunk(0, "", path),), **{**values, **more})  # type: ignore[arg-type]
    return await scene.passages.put(DEMO, document, [b"v"])


async def used(scene: Scene, document: DocumentId, day: date, *counts: int) -> None:
    names = ("answers", "liked", "disliked", "handed_over")
    values = dict(zip(names, counts, strict=True))
    async with scene.database.write() as connection:
        await connection.execute(
            insert(document_uses).values(
                tenant=DEMO, document_id=document, day=day.isoformat(), **values
            )
        )


async def a_month(scene: Scene) -> tuple[DocumentId, ...]:
    """Let pages be used for a month: one well, one badly, one not at all, one long ago."""
    made = [await page(scene, f"{name}.md") for name in ("good", "bad", "idle", "old")]
    await page(scene, "secret.md", internal=True)
    scene.clock.advance(timedelta(days=40))
    today = scene.clock.now().date()
    await used(scene, made[3], today - timedelta(days=35), 9, 0, 9, 0)
    await used(scene, made[0], today, 9, 5, 1, 0)
    await used(scene, made[1], today, 4, 0, 2, 1)
    await used(scene, made[1], today - timedelta(days=3), 4, 1, 1, 0)
    await page(scene, "new.md")
    return tuple(made)


async def test_pages_by_how_they_fared(scene: Scene, reports: SqlReports) -> None:
    await a_month(scene)
    now = scene.clock.now()
    since = (now - timedelta(days=30)).date()
    count, idle = await reports.idle(DEMO, since, now - timedelta(days=7))
    assert (count, [p.path for p in idle]) == (2, ["idle.md", "old.md"])
    (bad,) = await reports.disliked(DEMO, since)
    assert (bad.path, bad.answers, bad.disliked, bad.handed_over) == ("bad.md", 8, 3, 1)
    assert [(p.path, p.answers) for p in await reports.used(DEMO, since)] == [
        ("good.md", 9),
        ("bad.md", 8),
    ]
    assert await reports.idle(OTHER, since, now) == (0, [])
    assert await reports.used(OTHER, since) == []


async def test_the_library_is_paged_filtered_and_counted(scene: Scene, reports: SqlReports) -> None:
    await a_month(scene)
    await page(scene, "faq.md", source="site", editions=("pro",), version="7")
    since = (scene.clock.now() - timedelta(days=30)).date()
    first = await reports.library(DEMO, since, limit=4)
    rest = await reports.library(DEMO, since, after=first.cursor, limit=4)
    paths = [row.path for row in (*first.items, *rest.items)]
    assert paths == ["bad.md", "good.md", "idle.md", "new.md", "old.md", "secret.md", "faq.md"]
    assert rest.cursor is None
    assert (first.items[0].answers, first.items[0].passages) == (8, 1)
    (faq,) = (await reports.library(DEMO, since, "site")).items
    assert (faq.editions, faq.version) == (("pro",), "7")
    assert [r.path for r in (await reports.library(DEMO, since, search="OLD")).items] == ["old.md"]
    assert (await reports.library(DEMO, since, search="%")).items == ()
    assert await reports.by_source(DEMO) == {"handbook": 6, "site": 1}
    assert (await reports.library(DEMO, since, after="doc_none")).items == ()


async def asked(scene: Scene, text: str, who: str) -> None:
    accepted = await scene.says(text, who)
    await scene.answers(accepted, "no idea", effects=(OpenGap(text),))


async def test_a_report_says_what_to_act_on(scene: Scene, reporter: Reporter) -> None:
    await a_month(scene)
    await asked(scene, "Old question?", "ann")
    scene.clock.advance(timedelta(days=8))
    for who in ("ann", "bob"):
        await asked(scene, "Is there a dark mode?", who)
    (old,) = [g for g in await scene.gaps.open_gaps(DEMO) if "Old" in g.question]
    await scene.gaps.close(DEMO, old.id, "answered", "csm_maya")
    review_by = scene.clock.now() - timedelta(days=1)
    await page(scene, "dark.md", source="answers", review_by=review_by, author="Maya")
    made = await reporter.report(DEMO)
    assert [g.question for g in made.new] == ["Is there a dark mode?"]
    assert [g.question for g in made.answered] == ["Old question?"]
    assert (made.open, made.biggest[0].contacts) == (1, 2)
    assert [a.path for a in made.due] == ["dark.md"]
    shown = report_text(report_json(made))
    assert "1 new gap, 1 open, 1 answered" in shown
    assert "Is there a dark mode? (2 customers, 2 times)" in shown
    assert (await reporter.report(OTHER)).quiet


async def cards(scene: Scene) -> list[dict[str, object]]:
    async with scene.database.read() as connection:
        found = await connection.execute(select(outbox.c.payload).where(outbox.c.kind == "card"))
        return [payload["card"] for payload in found.scalars()]


async def test_each_week_has_one_card(scene: Scene, reporter: Reporter) -> None:
    await scene.directory.ensure_inbox(DEMO, "slack", "C1", "team", "")
    scene.clock.advance(monday(scene.clock.now()) - scene.clock.now() + timedelta(hours=7))
    await reporter.tell()
    assert await cards(scene) == [], "nothing to say"
    await asked(scene, "Is there a dark mode?", "ann")
    await reporter.tell()
    assert await cards(scene) == [], "not before eight on Monday"
    scene.clock.advance(timedelta(hours=2))
    await asyncio.gather(*(reporter.tell() for _ in range(3)))
    (card,) = await cards(scene)
    assert card["title"] == "Knowledge this week"
    assert "Is there a dark mode? (1 customer)" in str(card["text"])
    assert card["link"] == "https://usher.example/console/knowledge/report"
    scene.clock.advance(timedelta(days=3))
    await reporter.tell()
    assert len(await cards(scene)) == 1
    scene.clock.advance(timedelta(days=4))
    await reporter.tell()
    assert len(await cards(scene)) == 2
    jobs = await scene.take_jobs()
    assert sum(job.outbound.card is not None for job in jobs) == 1, "one lane, the oldest first"


def monday(now: datetime) -> datetime:
    """Return the midnight the next Monday begins with."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=7 - day.weekday())


async def test_without_a_team_inbox_a_week_is_still_marked(
    scene: Scene, reporter: Reporter
) -> None:
    await asked(scene, "Is there a dark mode?", "ann")
    scene.clock.advance(timedelta(days=8))
    await reporter.tell()
    async with scene.database.read() as connection:
        team = await connection.execute(select(inboxes.c.id).where(inboxes.c.kind == "team"))
        assert team.all() == []
    assert await cards(scene) == []
