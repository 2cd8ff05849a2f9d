"""/backtests: what past questions would come to. Sends nothing to anyone. Secret keys only."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from app.backtest.pages import as_html, as_markdown
from app.backtest.questions import MAX_CHARS, MAX_QUESTIONS, PastQuestion, read_questions
from app.backtest.starting import listed_json, start, whole_json
from core.errors import BadInputError, ConflictError

router = APIRouter(prefix="/backtests", tags=["inside"])

MAX_FILE = 30_000_000  # characters
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class QuestionIn(Body):
    """A past question. `asker` is anything that tells one customer from another."""

    question: MessageText
    answer: MessageText | None = None
    topic: Word | None = None
    asker: Word | None = None


class BacktestIn(Body):
    """Past questions, or a file of them as text: CSV, a Zendesk ticket or Intercom conversation export."""

    name: Word
    questions: list[QuestionIn] | None = Field(default=None, max_length=MAX_QUESTIONS)
    file: Annotated[str, Field(max_length=MAX_FILE)] | None = None
    channel: Word = "web"


@router.post("", status_code=202)
async def begin(body: BacktestIn, services: Uses, who: Secret) -> dict[str, object]:
    """Begin a run and return it at once; ask `GET /backtests/{id}` until its `status` is not `running`."""
    row = await start(services, who.tenant, body.name, await _questions(body), body.channel)
    return whole_json(services, row)


async def _questions(body: BacktestIn) -> tuple[PastQuestion, ...]:
    if (body.questions is None) == (body.file is None):
        raise BadInputError("send either `questions` or a `file`")
    if body.file is not None:
        data = body.file.encode("utf-8", "replace")
        return await asyncio.to_thread(read_questions, body.name, data)
    return tuple(
        PastQuestion(
            q.question[:MAX_CHARS], q.answer[:MAX_CHARS] if q.answer else None, q.topic, q.asker
        )
        for q in body.questions or ()
        if q.question.strip()
    )


@router.get("")
async def backtests(
    services: Uses,
    who: Secret,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, object]:
    """Return the tenant's backtests without their reports, the newest first."""
    page = await services.backtests.all(who.tenant, after, limit)
    return {"items": [listed_json(services, row) for row in page.items], "cursor": page.cursor}


@router.get("/{backtest}")
async def one(backtest: Id, services: Uses, who: Secret) -> dict[str, object]:
    """Return a backtest with its report. Raises NotFoundError."""
    return whole_json(services, await services.backtests.get(who.tenant, backtest))


@router.get("/{backtest}/page", response_class=Response)
async def page(
    backtest: Id,
    services: Uses,
    who: Secret,
    kind: Annotated[Literal["html", "markdown"], Query()] = "html",
) -> Response:
    """Return the report as one page to forward. Raises NotFoundError, ConflictError until it is done."""
    row = await services.backtests.get(who.tenant, backtest)
    if not row.report:
        raise ConflictError("this backtest has no report yet")
    if kind == "markdown":
        text = as_markdown(row.name, row.created_at, row.report)
        return Response(text, media_type="text/markdown; charset=utf-8")
    text = await asyncio.to_thread(as_html, row.name, row.created_at, row.report)
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@router.delete("/{backtest}", status_code=204)
async def remove(backtest: Id, services: Uses, who: Secret) -> None:
    """Delete a backtest; a run that still goes on ends unseen. Raises NotFoundError."""
    await services.backtests.remove(who.tenant, backtest)
