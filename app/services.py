"""What the edge and the worker may call: built once by app/compose.py, passed down, never looked up.

The stores' classes are named for their types only; nothing here imports them at run time.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.chain import Chain
from app.inboxes import Inboxes
from app.metrics import PrometheusMetrics
from app.refusals import Refusals
from app.settings import ServerSettings
from app.thinking import Thinker
from app.waiting import Waiter
from app.worker import Worker
from core.clock import Clock
from core.contracts import ChannelSpec, CheckSpec, HandlerSpec
from core.ports import (
    Alarms,
    Answers,
    Beside,
    Cache,
    Changes,
    Fanout,
    Files,
    Generator,
    Humans,
    Inline,
    Intake,
    Leases,
    Lines,
    Outbox,
    Reaches,
    Recall,
    Retriever,
    TenantPolicy,
    Understands,
    UnitOfWork,
    Vault,
    Wakeups,
)

if TYPE_CHECKING:
    from app.backtest.running import Backtester
    from app.ingesting import Syncer
    from app.reporting import Reporter
    from app.store.access import SqlAccess
    from app.store.answers import SqlAnswers
    from app.store.backtests import SqlBacktests
    from app.store.bookings import SqlBookings
    from app.store.directory import SqlDirectory
    from app.store.figures import SqlFigures
    from app.store.gaps import SqlGaps
    from app.store.knowledge import SqlPassages
    from app.store.memory import SqlFacts, SqlIntents
    from app.store.reads import SqlReads
    from app.store.reports import SqlReports
    from app.store.state import SqlIdempotency, SqlPluginState
    from app.store.unasked import SqlUnasked
    from app.unasked import Unasked


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was discovered."""

    channels: Mapping[str, ChannelSpec]
    handlers: Mapping[str, HandlerSpec]
    checks: Mapping[str, CheckSpec]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the API, the sockets, the pages, the CLI and the worker use."""

    settings: ServerSettings
    clock: Clock
    metrics: PrometheusMetrics
    plugins: Plugins
    inboxes: Inboxes
    # the message path
    intake: Intake
    changes: Changes
    turns: UnitOfWork
    outbox: Outbox
    alarms: Alarms
    inline: Inline
    beside: Beside
    humans: Humans
    waiter: Waiter
    thinker: Thinker
    chain: Chain
    worker: Worker
    wakeups: Wakeups
    fanout: Fanout
    cache: Cache
    refusals: Refusals
    vault: Vault
    # state
    directory: "SqlDirectory"
    access: "SqlAccess"
    reads: "SqlReads"
    figures: "SqlFigures"
    passages: "SqlPassages"
    syncer: "Syncer"
    facts: "SqlFacts"
    gaps: "SqlGaps"
    approved: "SqlAnswers"
    reports: "SqlReports"
    reporter: "Reporter"
    backtests: "SqlBacktests"
    backtester: "Backtester"
    intents: "SqlIntents"
    state: "SqlPluginState"
    idempotency: "SqlIdempotency"
    files: Files
    leases: Leases
    calendar: "SqlBookings"
    # what nobody asked for: the one way out, and the rows
    unasked: "Unasked"
    not_sent: "SqlUnasked"
    reaches: Reaches
    # knowledge and words
    understands: Understands
    answers: Answers
    retriever: Retriever
    recall: Recall
    generator: Generator
    encode: Callable[..., Awaitable[Any]]
    lines_for: Callable[[TenantPolicy], Lines]
    # life
    open: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    healthy: Callable[[], Awaitable[Mapping[str, bool]]]
    after_ingest: Callable[[str], Awaitable[None]]
    after_facts: Callable[[str, str], Awaitable[None]]
    rebuild: Callable[[str], Awaitable[int]]
    teach: Callable[[str], Awaitable[int]]
    heads: Callable[[], Mapping[str, object]]
    reload_heads: Callable[[], Awaitable[Mapping[str, object]]]
