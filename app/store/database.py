"""The engine and its transactions, alike on SQLite and PostgreSQL.

Owns connection settings, `db_now` (leases use the database's clock, never the process's) and the mapping of
driver errors to UnavailableError. Not here: any table or query.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from pydantic_settings import SettingsConfigDict
from sqlalchemy import DateTime, Dialect, Float, event, exc, literal, select
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator

from core.errors import BadInputError, UnavailableError
from core.settings import Section


class DatabaseSettings(Section):
    """Where state stands. `url` is a SQLAlchemy async URL; `pool_size` connections at most."""

    model_config = SettingsConfigDict(env_prefix="USHER_DATABASE_")

    url: str = "sqlite+aiosqlite:///var/usher.db"
    pool_size: int = 10
    timeout: float = 10.0


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime: `timestamptz` on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class db_now(FunctionElement[datetime]):  # noqa: N801 - reads as SQL
    """The database's own time, `offset` seconds from now; not the transaction's start."""

    type = UtcDateTime()
    # the offset is a bound parameter: statements with it are compiled once
    inherit_cache = True
    name = "db_now"

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__(literal(float(offset), Float()))


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: SQLCompiler, **options: Any) -> str:
    # six fractional digits, as SQLAlchemy stores them: text compares like time
    offset = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({offset}) || ' seconds')"


@compiles(db_now, "postgresql")
def _postgres_now(element: db_now, compiler: SQLCompiler, **options: Any) -> str:
    offset = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + make_interval(secs => {offset}))"


class Database:
    """One engine. `write()` and `read()` give a connection inside a transaction."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.engine: AsyncEngine = _engine(settings)
        self.sqlite = self.engine.dialect.name == "sqlite"
        # writers of one process queue here instead of sleeping in SQLite's busy handler
        self._writer = asyncio.Lock()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a writing transaction: `BEGIN IMMEDIATE` on SQLite. Commits on leaving, rolls back on error.

        Raises UnavailableError when the database does not answer.
        """
        return self._transaction(write=True)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a reading transaction. Raises UnavailableError when the database does not answer."""
        return self._transaction(write=False)

    @asynccontextmanager
    async def _transaction(self, *, write: bool) -> AsyncIterator[AsyncConnection]:
        try:
            async with AsyncExitStack() as stack:
                if self.sqlite and write:
                    await stack.enter_async_context(self._writer)
                connection = await stack.enter_async_context(self.engine.connect())
                if write:
                    await connection.execution_options(usher_write=True)
                await stack.enter_async_context(connection.begin())
                yield connection
        except (exc.DataError, UnicodeEncodeError) as error:
            raise BadInputError("a value holds characters no text may have") from error
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise UnavailableError("the database does not answer") from error

    async def healthy(self) -> bool:
        """Return whether the database answers."""
        try:
            async with self.read() as connection:
                await connection.execute(select(1))
        except UnavailableError:
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _engine(settings: DatabaseSettings) -> AsyncEngine:
    if settings.url.startswith("sqlite"):
        engine = create_async_engine(
            settings.url,
            connect_args={"timeout": settings.timeout},
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.timeout,
        )
        event.listen(engine.sync_engine, "connect", _sqlite_connect)
        event.listen(engine.sync_engine, "begin", _sqlite_begin)
        return engine
    return create_async_engine(
        settings.url,
        connect_args={"connect_timeout": int(settings.timeout)},
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.timeout,
        pool_pre_ping=True,
    )


def _sqlite_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # we send BEGIN ourselves; the driver's own rules open write transactions too late
    cast("Any", connection).isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("usher_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
