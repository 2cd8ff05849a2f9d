"""The one way to start a backtest and to show one, for the API and the console alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.backtest.judging import Judge
from app.backtest.questions import PastQuestion
from app.explaining import Asked, explain
from app.services import Services
from core.errors import BadInputError
from core.ids import TenantId
from core.views import BacktestRow


async def start(
    services: Services,
    tenant: TenantId,
    name: str,
    questions: Sequence[PastQuestion],
    channel: str = "web",
) -> BacktestRow:
    """Begin to think through past questions as customers' on `channel`; returns at once.

    Raises BadInputError for an unknown channel or no questions, ConflictError when too many run.
    """
    if channel not in services.plugins.channels:
        raise BadInputError(f"there is no channel {channel!r}")

    async def think(text: str) -> Mapping[str, Any]:
        return await explain(services, tenant, Asked(text, channel=channel))

    judge = Judge(think, services.answers.support)
    backtest = await services.backtester.start(tenant, name, questions, judge)
    return await services.backtests.get(tenant, backtest)


def listed_json(services: Services, row: BacktestRow) -> dict[str, object]:
    """Return a backtest as lists show it: id, name, created_at, status, done, totals and more."""
    return {
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at.isoformat(),
        **services.backtester.status(row),
    }


def whole_json(services: Services, row: BacktestRow) -> dict[str, object]:
    """Return a backtest with its `report`, null while there is none."""
    return {**listed_json(services, row), "report": dict(row.report) or None}
