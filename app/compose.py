"""The composition root: settings in, Services out. Every object is made here, once, by hand.

Tests call the same `build` with `Parts` to put doubles in place of the slow or outside ones.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import app.store
from app.adapters.cache import RedisCache
from app.adapters.fanout import RedisFanout
from app.adapters.llm import LangChainGenerator
from app.adapters.llm_settings import LlmSettings
from app.adapters.moderation import HttpModerator, ModerationSettings
from app.adapters.redis_link import RedisSettings, connect
from app.adapters.vault import SealedVault
from app.adapters.wakeups import RedisWakeups
from app.backtest.running import Backtester
from app.chain import Chain
from app.files import Carrier, Download, Fetcher, FilesSettings
from app.gaps import group
from app.inboxes import Inboxes
from app.ingesting import Syncer
from app.metrics import PrometheusMetrics
from app.outbox import Sender
from app.refusals import Refusals
from app.reporting import Reporter
from app.router import Router
from app.services import Plugins, Services
from app.settings import ServerSettings
from app.store.access import SqlAccess
from app.store.alarms import SqlAlarms
from app.store.answers import SqlAnswers
from app.store.backtests import SqlBacktests
from app.store.beside import SqlBeside
from app.store.bookings import SqlBookings
from app.store.changes import SqlChanges
from app.store.checks import SqlConsents, SqlFeatures
from app.store.codes import Seals, SqlCodes
from app.store.database import Database, DatabaseSettings
from app.store.demo import seed_demo
from app.store.directory import SqlDirectory
from app.store.effects import Applier
from app.store.figures import SqlFigures
from app.store.file_queue import SqlFileQueue
from app.store.files import SqlFiles
from app.store.gaps import SqlGaps
from app.store.humans import SqlHumans
from app.store.idle import SqlIdle
from app.store.inline import SqlInline
from app.store.intake import SqlIntake
from app.store.knowledge import SqlPassages
from app.store.leases import SqlLeases
from app.store.memory import SqlFacts, SqlIntents
from app.store.model_uses import SqlModelUses
from app.store.notices import tell_team_once
from app.store.outbox import SqlOutbox
from app.store.reaches import SqlReaches
from app.store.reads import SqlReads
from app.store.reports import SqlReports
from app.store.sources import SqlSources
from app.store.state import SqlIdempotency, SqlPluginState
from app.store.turns import SqlTurns
from app.store.unasked import SqlUnasked
from app.thinking import Thinker
from app.unasked import Unasked
from app.unread import UnreadReplies
from app.waiting import Waiter
from app.worker import Worker
from channels._shared.web_links import Resume, issue_resume
from core import crash
from core.clock import Clock, SystemClock
from core.contracts import (
    Channel,
    ChannelContext,
    ChannelSpec,
    CheckPorts,
    CheckSpec,
    Context,
    HandlerSpec,
)
from core.discovery import discover
from core.errors import MisconfiguredError
from core.ids import ContactId, TenantId
from core.messages import Assurance
from core.ports import (
    Answers,
    Generator,
    Lines,
    PluginState,
    Recall,
    Retriever,
    TenantPolicy,
    Understands,
    Unread,
)
from core.settings import Section
from handlers._shared.lines import YamlLines
from ingest.origins import IngestSettings
from ingest.sources import known_sources
from ingest.sources.folder import ANYWHERE
from knowledge.short_memory import ShortMemory

DEMO = TenantId("demo")


class Knowledge(Protocol):
    """The knowledge side as one part: what answers, understands and embeds."""

    @property
    def understands(self) -> Understands:
        """The port `Understands`."""
        ...

    @property
    def answers(self) -> Answers:
        """The port `Answers`."""
        ...

    @property
    def retriever(self) -> Retriever:
        """The port `Retriever`."""
        ...

    @property
    def recall(self) -> Recall:
        """The port `Recall`."""
        ...

    async def encode(self, texts: Sequence[str], progress: Any = None) -> Any:
        """Return (n, 384) float32 vectors of document texts."""
        ...

    async def open(self) -> None:
        """Load what is slow to load."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...

    async def healthy(self) -> bool:
        """Return whether the vector store answers."""
        ...

    async def apply(self, tenant: str) -> None:
        """Bring the vector index of a tenant in line with SQL."""
        ...

    async def rebuild(self, tenant: str) -> int:
        """Build the vector index of a tenant anew."""
        ...

    async def apply_facts(self, tenant: str, contact: str) -> None:
        """Bring a contact's remembered facts in line with SQL."""
        ...

    async def teach(self, tenant: str, phrases: Mapping[str, Sequence[str]]) -> None:
        """Train a tenant's own intents."""
        ...

    def heads(self) -> Mapping[str, object]:
        """Return which heads serve, and how those in their shadow compare."""
        ...

    async def reload_heads(self) -> Mapping[str, object]:
        """Read the heads again. Raises MisconfiguredError for a broken one and keeps the old ones."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a caller may put in place of the real thing."""

    clock: Clock = field(default_factory=SystemClock)
    knowledge: Callable[[SqlPassages, SqlFacts], Knowledge] | None = None
    generator: Generator | None = None
    channels: Mapping[str, ChannelSpec] | None = None
    handlers: Mapping[str, HandlerSpec] | None = None
    checks: Mapping[str, CheckSpec] | None = None
    # channel → settings of a stand-in, used where the environment configures none
    simulated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    env_file: Path | None = None
    database: DatabaseSettings | None = None
    redis: RedisSettings | None = None


def build(  # noqa: C901 - a list of objects, one after the other
    settings: ServerSettings, parts: Parts | None = None
) -> Services:
    """Make every object. Nothing is contacted until `Services.open`.

    Raises MisconfiguredError with a sentence when a plug-in or a setting is broken.
    """
    parts = parts or Parts()
    clock = parts.clock
    crash.arm(settings.crash_point)
    plugins = Plugins(
        channels=parts.channels or discover("channels", ChannelSpec),
        handlers=parts.handlers or discover("handlers", HandlerSpec),
        checks=parts.checks or discover("guardrails", CheckSpec),
    )
    database = Database(parts.database or DatabaseSettings(_env_file=parts.env_file))
    redis_settings = parts.redis or RedisSettings(_env_file=parts.env_file)
    redis = connect(redis_settings)
    cache, fanout = RedisCache(redis), RedisFanout(redis)
    wakeups = RedisWakeups(redis, embedded=not redis_settings.url)
    metrics = PrometheusMetrics()
    lines = YamlLines(slots={"brand": "us", "bot": "Usher"})
    lines_for = partial(_tenant_lines, lines)

    kinds = {s.name: s.identity or s.name for s in plugins.channels.values()}
    base_url = settings.url
    state = SqlPluginState(database, clock)
    vault = SealedVault(partial(visitor_secret, settings))
    files = SqlFiles(database, clock, base_url)
    inline = SqlInline(database, clock)
    beside = SqlBeside(database, inline, wakeups)

    async def tenant_lines(tenant: TenantId) -> Lines:
        return lines_for(await directory.policy(tenant))

    channel_context = ChannelContext(
        clock,
        fanout,
        lines,
        state,
        cache,
        vault,
        files,
        beside=beside,
        lines_for=tenant_lines,
    )
    channels = {s.name: s.build(channel_context) for s in plugins.channels.values()}
    inboxes = Inboxes(plugins.channels, channels, parts.env_file, parts.simulated)
    directory = SqlDirectory(database, clock, kinds, inboxes.complete)
    calendar = SqlBookings(database, clock)
    seals, codes = Seals(settings.secret.get_secret_value()), SqlCodes(database, clock)
    turns = SqlTurns(database, clock, Applier(calendar, base_url, seals))
    outbox = SqlOutbox(database, clock, base_url)
    alarms = SqlAlarms(database, clock, base_url)
    passages, facts = SqlPassages(database, clock), SqlFacts(database, clock)
    intents = SqlIntents(database, clock)
    gaps, approved, reports = (
        SqlGaps(database, clock),
        SqlAnswers(database),
        SqlReports(database, clock),
    )
    reporter = Reporter(gaps, approved, reports, directory, clock, base_url)
    knowledge = (parts.knowledge or partial(_real_knowledge, settings, parts, plugins, lines))(
        passages, facts
    )
    models = LangChainGenerator(
        LlmSettings(_env_file=parts.env_file), clock, SqlModelUses(database, clock), metrics
    )
    generator = parts.generator or models
    moderation = ModerationSettings(_env_file=parts.env_file)
    moderator = HttpModerator(moderation, clock, metrics) if moderation.base_url else None
    check_ports = CheckPorts(
        clock,
        lines,
        knowledge.answers,
        state,
        SqlConsents(database),
        SqlFeatures(database, clock),
        moderator,
    )
    chain = Chain(plugins.checks.values(), check_ports)
    context = Context(
        clock=clock,
        answers=knowledge.answers,
        retriever=knowledge.retriever,
        generator=generator,
        calendar=calendar,
        facts=facts,
        recall=knowledge.recall,
        lines=lines,
        state=state,
        codes=codes,
    )
    thinker = Thinker(
        chain,
        knowledge.understands,
        plugins.handlers,
        context,
        {s.name: s.capabilities for s in plugins.channels.values()},
        clock,
        lines_for=lines_for,
    )
    router = Router(
        turns,
        thinker,
        lines_for,
        fanout,
        wakeups,
        metrics,
        clock,
        window=ShortMemory(cache),
    )
    capabilities = {s.name: s.capabilities for s in plugins.channels.values()}
    carrier = Carrier(files, capabilities)
    sender = Sender(outbox, inboxes.channel, inboxes.complete, fanout, metrics, load=carrier.load)
    download = Download(FilesSettings(_env_file=parts.env_file))
    fetcher = Fetcher(
        SqlFileQueue(database, clock),
        download,
        inboxes.channel,
        inboxes.complete,
        directory.policy,
        lines_for,
        fanout,
        metrics,
    )

    async def refresh() -> None:
        for tenant in await directory.tenants():
            await knowledge.apply(tenant.id)

    async def group_gaps() -> None:
        for tenant in await directory.tenants():
            await group(gaps, knowledge.encode, tenant.id)

    idle = SqlIdle(
        database, clock, {s.name: s.capabilities.idle_hours for s in plugins.channels.values()}
    )
    idempotency = SqlIdempotency(database, clock)
    not_sent = SqlUnasked(database, clock, kinds, base_url)
    unasked = Unasked(not_sent, lines_for, metrics)
    syncer = Syncer(
        SqlSources(database, clock),
        passages,
        knowledge.encode,
        knowledge.apply,
        directory.policy,
        _ingest_settings(settings, parts),
        settings.var_dir,
        clock,
    )
    reaches = SqlReaches(database, clock)

    async def way_back(unread: Unread) -> str:
        secret = await asyncio.to_thread(visitor_secret, settings)
        proven = unread.reach.assurance is Assurance.PROVEN
        resume = Resume(
            unread.tenant, unread.key, unread.visitor, unread.conversation, unread.first, proven
        )
        return f"{base_url}/r/{issue_resume(resume, secret, clock.now())}"

    unread_replies = UnreadReplies(reaches, directory, lines_for, wakeups, clock, way_back)
    worker = Worker(
        turns,
        router,
        sender,
        alarms,
        wakeups,
        settings.turn_workers,
        periodic=(
            ("index", 15.0, refresh),
            ("idle", 60.0, idle.close_quiet),
            ("idempotency", 3600.0, idempotency.sweep),
            ("codes", 3600.0, codes.sweep),
            ("unasked", 5.0, unasked.sweep),
            ("gaps", 30.0, group_gaps),
            ("sources", 30.0, syncer.sync_due),
            ("report", 900.0, reporter.tell),
            ("files", 2.0, fetcher.round),
            ("files_sweep", 3600.0, files.sweep),
            ("unread", 15.0, unread_replies.tell),
        ),
    )

    async def teach(tenant: str) -> int:
        grouped: dict[str, list[str]] = {}
        for text, intent in await intents.all(TenantId(tenant)):
            grouped.setdefault(intent, []).append(text)
        await knowledge.teach(tenant, grouped)
        return sum(map(len, grouped.values()))

    async def open_all() -> None:
        await asyncio.to_thread(_load, vault, settings)
        await knowledge.open()
        if settings.development:  # first: a tenant's policy is set when it is made
            await seed_demo(directory, calendar, SqlAccess(database, clock))
        await _ensure_inboxes(settings, plugins, inboxes, directory)
        for tenant in await directory.tenants():
            await teach(tenant.id)

    reads = SqlReads(database, clock, kinds)
    backtests = SqlBacktests(database, clock)
    backtester = Backtester(backtests, knowledge.encode)

    async def close_all() -> None:
        await backtester.close()
        for channel in channels.values():
            await channel.close()
        if moderator is not None:
            await moderator.close()
        await models.close()
        await download.close()
        await fanout.close()
        await redis.aclose()
        await knowledge.close()
        await database.close()

    async def healthy() -> Mapping[str, bool]:
        return {
            "database": await database.healthy(),
            "redis": await cache.healthy(),
            "vectors": await knowledge.healthy(),
        }

    async def after_facts(tenant: str, contact: str) -> None:
        await knowledge.apply_facts(tenant, ContactId(contact))

    return Services(
        settings=settings,
        clock=clock,
        metrics=metrics,
        plugins=plugins,
        inboxes=inboxes,
        intake=SqlIntake(
            database,
            clock,
            kinds,
            base_url,
            [word for words in lines.variants("words.thanks").values() for word in words],
            seals,
        ),
        turns=turns,
        outbox=outbox,
        alarms=alarms,
        inline=inline,
        beside=beside,
        humans=SqlHumans(database, clock, base_url),
        waiter=Waiter(inline, fanout, wakeups),
        thinker=thinker,
        chain=chain,
        worker=worker,
        wakeups=wakeups,
        fanout=fanout,
        cache=cache,
        refusals=Refusals(
            clock, cache, metrics, directory, wakeups, partial(tell_team_once, database, clock)
        ),
        vault=vault,
        directory=directory,
        access=SqlAccess(database, clock),
        changes=SqlChanges(database, clock, reads, seals),
        reads=reads,
        figures=SqlFigures(database),
        passages=passages,
        syncer=syncer,
        facts=facts,
        gaps=gaps,
        approved=approved,
        reports=reports,
        reporter=reporter,
        backtests=backtests,
        backtester=backtester,
        intents=intents,
        state=state,
        idempotency=idempotency,
        files=files,
        leases=SqlLeases(database),
        calendar=calendar,
        unasked=unasked,
        not_sent=not_sent,
        reaches=reaches,
        understands=knowledge.understands,
        answers=knowledge.answers,
        retriever=knowledge.retriever,
        recall=knowledge.recall,
        generator=generator,
        encode=knowledge.encode,
        lines_for=lines_for,
        open=open_all,
        close=close_all,
        healthy=healthy,
        after_ingest=knowledge.apply,
        after_facts=after_facts,
        rebuild=knowledge.rebuild,
        teach=teach,
        heads=knowledge.heads,
        reload_heads=knowledge.reload_heads,
    )


def migrate(url: str | None = None, env_file: Path | None = None) -> bool:
    """Bring the configured database to the newest schema; False when it was there. Blocking."""
    return app.store.migrate(url or DatabaseSettings(_env_file=env_file).url)


def require_scale_out(env_file: Path | None = None) -> None:
    """Refuse a second process on the embedded state. Raises MisconfiguredError."""
    embedded = DatabaseSettings(_env_file=env_file).url.startswith("sqlite")
    if embedded or not RedisSettings(_env_file=env_file).url:
        raise MisconfiguredError(
            "`usher worker` needs PostgreSQL and Redis: the embedded server has its worker inside"
        )


def scratch_channel(spec: ChannelSpec, clock: Clock, state: PluginState) -> Channel:
    """Return a channel that shares nothing with a running server: for looking at what it would understand."""
    redis = connect(RedisSettings(_env_file=None, url=""))
    lines = YamlLines(slots={"brand": "us", "bot": "Usher"})
    vault = SealedVault(partial(secrets.token_urlsafe, 48))
    context = ChannelContext(clock, RedisFanout(redis), lines, state, RedisCache(redis), vault)
    return spec.build(context)


def settings_of(channel: str, prefix: str = "", env_file: Path | None = None) -> Section:
    """Return a channel's settings under a prefix, its own when that is empty."""
    specs = discover("channels", ChannelSpec)
    return Inboxes(specs, {}, env_file).settings(channel, prefix)


def visitor_secret(settings: ServerSettings) -> str:
    """Return the key that signs visitor tokens, making and keeping one when none is configured. Blocking."""
    configured = settings.secret.get_secret_value()
    if configured:
        return configured
    if not settings.development:
        raise MisconfiguredError("USHER_SECRET is not set: it signs visitor tokens")
    file = settings.var_dir / "secret"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        file.chmod(0o600)
    return file.read_text(encoding="utf-8").strip()


def _load(vault: SealedVault, settings: ServerSettings) -> None:
    """Ask for the secret where there is one, or a place to keep it; else whoever seals says what is missing."""
    if settings.secret.get_secret_value() or settings.var_dir.is_dir():
        with contextlib.suppress(MisconfiguredError):
            vault.load()


def _ingest_settings(settings: ServerSettings, parts: Parts) -> IngestSettings:
    """Return what sources may reach; on somebody's own machine, any folder of it."""
    known_sources()  # a broken one stops the start
    found = IngestSettings(_env_file=parts.env_file)
    if not settings.development or found.folders:
        return found
    schemes = (*found.git_schemes, "file")
    return found.model_copy(update={"folders": (ANYWHERE,), "git_schemes": schemes})


def _tenant_lines(lines: YamlLines, policy: TenantPolicy) -> Lines:
    return lines.for_tenant(policy.lines, {"brand": policy.brand, "bot": policy.bot_name})


def _real_knowledge(
    settings: ServerSettings,
    parts: Parts,
    plugins: Plugins,
    lines: Lines,
    passages: SqlPassages,
    facts: SqlFacts,
) -> Knowledge:
    # imported here: onnxruntime and Chroma take seconds that a CLI call or a unit test need not pay
    from knowledge.parts import KnowledgeParts

    phrases: dict[str, list[str]] = {}
    for handler in plugins.handlers.values():
        for intent, examples in handler.examples.items():
            phrases.setdefault(intent, []).extend(examples)
    return KnowledgeParts(
        passages, facts, settings.var_dir, phrases, lines.variants("words.human"), parts.env_file
    )


async def _ensure_inboxes(
    settings: ServerSettings, plugins: Plugins, inboxes: Inboxes, directory: SqlDirectory
) -> None:
    """Write an inbox row of tenant `demo` for what the environment configures, and the API's own."""
    await directory.ensure_tenant(DEMO, "Lumen Works")
    for spec in plugins.channels.values():
        for address, kind in inboxes.configured(spec.name):
            await directory.ensure_inbox(DEMO, spec.name, address, kind, "")
    await directory.ensure_inbox(DEMO, "api", DEMO, "customer", "")
