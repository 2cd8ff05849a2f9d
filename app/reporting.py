"""The weekly knowledge report: what customers missed, what was answered, which pages earn their place.

One shape for the console, the API, `usher report` and the card to the team. Not here: counting (app/store/).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.clock import Clock
from core.ids import ConversationId, TenantId
from core.messages import TeamCard
from core.ports import Gap
from core.views import AnswerRow, PageUse
from core.zones import zone_info
from ingest.conflicts import Conflict

if TYPE_CHECKING:
    from app.store.answers import SqlAnswers
    from app.store.directory import SqlDirectory
    from app.store.gaps import SqlGaps
    from app.store.reports import SqlReports

logger = logging.getLogger(__name__)

WEEK = timedelta(days=7)
PAGES_SEEN_OVER = timedelta(days=30)
_BIGGEST = 10
_CARD_HOUR = 8  # on Mondays, where the tenant is


@dataclass(frozen=True, slots=True)
class Report:
    """One tenant's knowledge over `since`..`until`; pages are judged over the 30 days before `until`."""

    tenant: TenantId
    since: datetime
    until: datetime
    new: tuple[Gap, ...]
    open: int
    biggest: tuple[Gap, ...]
    answered: tuple[Gap, ...]
    idle: tuple[PageUse, ...]
    idle_count: int
    disliked: tuple[PageUse, ...]
    due: tuple[AnswerRow, ...]

    @property
    def quiet(self) -> bool:
        """Whether there is nothing a team would act on."""
        return not (self.new or self.open or self.answered or self.disliked or self.due)


class Reporter:
    """Makes reports, and sends each week's card once."""

    def __init__(
        self,
        gaps: "SqlGaps",
        answers: "SqlAnswers",
        reports: "SqlReports",
        directory: "SqlDirectory",
        clock: Clock,
        base_url: str = "",
    ) -> None:
        self._gaps = gaps
        self._answers = answers
        self._reports = reports
        self._directory = directory
        self._clock = clock
        self._base_url = base_url

    async def report(self, tenant: TenantId, days: int = 7) -> Report:
        """Return the report of the last `days` days."""
        now = self._clock.now()
        since = now - timedelta(days=days)
        over = max(timedelta(days=days), PAGES_SEEN_OVER)
        still_open = await self._gaps.open_gaps(tenant, 500)
        answered = await self._gaps.open_gaps(tenant, 200, "answered")
        idle_count, idle = await self._reports.idle(tenant, (now - over).date(), since)
        return Report(
            tenant=tenant,
            since=since,
            until=now,
            new=tuple(await self._gaps.since(tenant, since)),
            open=len(still_open),
            biggest=tuple(still_open[:_BIGGEST]),
            answered=tuple(g for g in answered if g.closed_at and g.closed_at >= since),
            idle=tuple(idle),
            idle_count=idle_count,
            disliked=tuple(await self._reports.disliked(tenant, (now - over).date())),
            due=tuple(a for a in await self._answers.all(tenant) if is_due(a, now)),
        )

    async def tell(self) -> None:
        """Queue this week's card for every tenant whose Monday morning has come; once a week each."""
        for tenant in await self._directory.tenants():
            policy = await self._directory.policy(tenant.id)
            local = self._clock.now().astimezone(zone_info(policy.time_zone))
            monday = (local - timedelta(days=local.weekday())).replace(
                hour=_CARD_HOUR, minute=0, second=0, microsecond=0
            )
            if local < monday or tenant.created_at >= monday:
                continue
            made = await self.report(tenant.id)
            if made.quiet:
                continue
            year, week, _day = local.isocalendar()
            if await self._reports.tell(tenant.id, f"{year}-W{week:02}", self.card(made)):
                logger.info("report.told", extra={"tenant": tenant.id})

    def card(self, made: Report) -> TeamCard:
        """Return the card the team gets."""
        top = [f"• {g.question} ({_count(g.contacts, 'customer')})" for g in made.biggest[:3]]
        return TeamCard(
            title="Knowledge this week",
            text="\n".join([_summary(made), *(["Most wanted:", *top] if top else [])]),
            conversation_id=ConversationId(""),
            state="open",
            severity="normal",
            fields=(
                ("New gaps", str(len(made.new))),
                ("Open gaps", str(made.open)),
                ("Answered", str(len(made.answered))),
                ("Disliked pages", str(len(made.disliked))),
                ("Unused pages", str(made.idle_count)),
                ("Answers due for review", str(len(made.due))),
            ),
            transcript=(),
            link=f"{self._base_url}/console/knowledge/report" if self._base_url else None,
            buttons=(),
        )


def is_due(answer: AnswerRow, now: datetime) -> bool:
    """Return whether somebody should look at an answer again."""
    return answer.review_by is not None and answer.review_by <= now


def _summary(made: Report) -> str:
    return (
        f"{_count(len(made.new), 'new gap')}, {len(made.answered)} answered, {made.open} open. "
        f"{_count(len(made.due), 'answer')} due for review."
    )


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


# ---------------------------------------------------------------- shapes


def report_json(made: Report) -> dict[str, object]:
    """Return the public shape."""
    return {
        "tenant": made.tenant,
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
        "gaps": {
            "new": [gap_json(g) for g in made.new],
            "open": made.open,
            "biggest": [gap_json(g) for g in made.biggest],
            "answered": [gap_json(g) for g in made.answered],
        },
        "pages": {
            "idle_count": made.idle_count,
            "idle": [page_json(p) for p in made.idle],
            "disliked": [page_json(p) for p in made.disliked],
        },
        "answers_due": [
            {
                "id": a.id,
                "question": a.question,
                "author": a.author,
                "review_by": a.review_by.isoformat() if a.review_by else None,
            }
            for a in made.due
        ],
    }


def gap_json(gap: Gap) -> dict[str, object]:
    """Return a gap's public shape."""
    return {
        "id": gap.id,
        "question": gap.question,
        "kind": gap.kind,
        "kinds": list(gap.kinds),
        "status": gap.status,
        "times": gap.times,
        "contacts": gap.contacts,
        "wordings": gap.wordings,
        "nearest": list(gap.nearest),
        "first_at": gap.first_at.isoformat(),
        "last_at": gap.last_at.isoformat(),
        "document_id": gap.document_id,
        "closed_by": gap.closed_by,
        "closed_at": gap.closed_at.isoformat() if gap.closed_at else None,
        "close_reason": gap.close_reason,
    }


def page_json(page: PageUse) -> dict[str, object]:
    """Return a page's fortunes."""
    return {
        "id": page.id,
        "path": page.path,
        "title": page.title,
        "source": page.source,
        "updated_at": page.updated_at.isoformat(),
        "answers": page.answers,
        "liked": page.liked,
        "disliked": page.disliked,
        "handed_over": page.handed_over,
    }


def conflicts_json(found: Sequence[Conflict]) -> list[dict[str, object]]:
    """Return pages that repeat or contradict each other, as the API and the console show them."""
    return [{**asdict(conflict), "sentence": conflict.sentence()} for conflict in found]


def conflicts_text(found: Sequence[Mapping[str, Any]]) -> str:
    """Return conflicts (their public shape) as plain text for a terminal."""
    said = [f"{each['first']['document']} {each['sentence']}" for each in found]
    return "\n".join(said) or "No page repeats or contradicts another."


def report_text(made: Mapping[str, Any]) -> str:
    """Return the report (its public shape) as plain text for a terminal."""
    gaps, pages = made["gaps"], made["pages"]
    lines = [
        f"Knowledge of {made['tenant']}, {str(made['since'])[:10]} to {str(made['until'])[:10]}",
        f"{_count(len(gaps['new']), 'new gap')}, {gaps['open']} open, {len(gaps['answered'])} answered",
    ]
    lines += _part("Most wanted", [_gap_line(g) for g in gaps["biggest"]])
    lines += _part("Answered", [_gap_line(g) for g in gaps["answered"]])
    lines += _part(
        "Pages that answer much and are disliked",
        [f"{p['path']}: {p['disliked']} of {p['answers']} disliked" for p in pages["disliked"]],
    )
    lines += _part(
        f"Pages that answered nothing ({pages['idle_count']})",
        [str(p["path"]) for p in pages["idle"]],
    )
    due = made["answers_due"]
    lines += _part(
        "Answers due for review", [f"{a['question']} (by {str(a['review_by'])[:10]})" for a in due]
    )
    return "\n".join(lines)


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _gap_line(gap: Mapping[str, Any]) -> str:
    people, times = _count(gap["contacts"], "customer"), _count(gap["times"], "time")
    return f"{gap['question']} ({people}, {times})"
