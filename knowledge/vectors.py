"""The vector store: Chroma in a locked folder, or a Chroma server.

Owns collections (one per tenant and kind, cosine), the folder's lock, timeouts, and what happens
when a collection is lost. Holds nothing that SQL does not: ids, vectors, and for facts whose they
are. Refuses a folder another process holds, because two processes on one folder silently miss each
other's rows.
"""

import asyncio
import fcntl
import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from core.errors import MisconfiguredError, ServiceError, UnavailableError
from core.ids import TenantId
from core.settings import Section

logger = logging.getLogger(__name__)

Kind = Literal["docs", "facts"]
Floats = npt.NDArray[np.float32]
T = TypeVar("T")

BATCH = 500
_PLAIN_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,100}[a-zA-Z0-9]|[a-zA-Z0-9]")


class VectorSettings(Section):
    """Where vectors stand: a folder of this process alone, or the URL of a Chroma server."""

    model_config = SettingsConfigDict(
        env_prefix="USHER_CHROMA_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    path: Path = Path("var/chroma")
    url: str | None = None
    token: SecretStr | None = None
    timeout: float = Field(default=5.0, gt=0)


class Vectors:
    """Vectors by id. Every method raises UnavailableError when the store does not answer in time."""

    def __init__(self, settings: VectorSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._lock: IO[str] | None = None
        self._collections: dict[str, Any] = {}
        self.lost: set[tuple[TenantId, Kind]] = set()

    async def open(self) -> None:
        """Connect. Raises MisconfiguredError when another process holds the folder."""
        await asyncio.to_thread(self._open)

    async def close(self) -> None:
        """Let go of the folder."""
        await asyncio.to_thread(self._close)

    async def healthy(self) -> bool:
        """Return whether the store answers."""
        try:
            await self._call(lambda: self._client.heartbeat())
        except ServiceError:
            return False
        return True

    async def upsert(
        self,
        tenant: TenantId,
        kind: Kind,
        ids: Sequence[str],
        vectors: Floats,
        metadatas: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        """Add or replace rows: `vectors` float32 [n, 384], `metadatas` one per row."""
        for start in range(0, len(ids), BATCH):
            end = start + BATCH
            add = partial(
                _upsert,
                ids=list(ids[start:end]),
                embeddings=vectors[start:end],
                metadatas=[dict(each) for each in metadatas[start:end]] if metadatas else None,
            )
            await self._on(tenant, kind, add)

    async def delete(self, tenant: TenantId, kind: Kind, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are fine."""
        for start in range(0, len(ids), BATCH):
            remove = partial(_delete, ids=list(ids[start : start + BATCH]))
            await self._on(tenant, kind, remove)

    async def query(
        self,
        tenant: TenantId,
        kind: Kind,
        vector: Floats,
        k: int,
        where: Mapping[str, str] | None = None,
    ) -> list[tuple[str, float]]:
        """Return up to k (id, cosine in [-1, 1]), nearest first."""

        def ask(rows: Any) -> list[tuple[str, float]]:
            found = rows.query(
                query_embeddings=[vector], n_results=k, where=where, include=["distances"]
            )
            ids, distances = found["ids"][0], found["distances"][0]
            return [(each, 1.0 - float(far)) for each, far in zip(ids, distances, strict=True)]

        return await self._on(tenant, kind, ask)

    async def marks(self, tenant: TenantId, kind: Kind) -> dict[str, str]:
        """Return id → its `mark` metadata ("" without), of every row."""

        def read(rows: Any) -> dict[str, str]:
            found = rows.get(include=["metadatas"])
            metadatas = found["metadatas"] or [None] * len(found["ids"])
            return {
                each: str((metadata or {}).get("mark", ""))
                for each, metadata in zip(found["ids"], metadatas, strict=True)
            }

        return await self._on(tenant, kind, read, slow=True)

    async def drop(self, tenant: TenantId, kind: Kind) -> None:
        """Delete a whole collection, if it is there, however broken it is."""
        from chromadb.errors import NotFoundError

        name = collection_name(tenant, kind)

        def remove() -> None:
            self._collections.pop(name, None)
            try:
                self._client.delete_collection(name)
            except (NotFoundError, ValueError):
                logger.debug("vectors.nothing_to_drop")

        await self._call(remove, slow=True)
        self.lost.discard((tenant, kind))

    # --- calls -----------------------------------------------------------------------------------

    async def _on(
        self, tenant: TenantId, kind: Kind, act: Callable[[Any], T], *, slow: bool = False
    ) -> T:
        name = collection_name(tenant, kind)

        def run() -> T:
            return act(self._collection(name))

        try:
            return await self._call(run, slow=slow)
        except UnavailableError:
            # Whatever it was, the handle may be stale; the indexer looks whether rows are missing.
            self._collections.pop(name, None)
            self.lost.add((tenant, kind))
            raise

    async def _call(self, act: Callable[[], T], *, slow: bool = False) -> T:
        if self._client is None:
            raise UnavailableError("the vector store is not open")
        timeout = self._settings.timeout * (12 if slow else 1)
        try:
            return await asyncio.wait_for(asyncio.to_thread(act), timeout)
        except TimeoutError as error:
            raise UnavailableError("the vector store did not answer in time") from error
        except ServiceError:
            raise
        except Exception as error:
            # Chroma raises its own errors, httpx's, sqlite3's and plain RuntimeErrors from Rust.
            logger.warning("vectors.failed", extra={"error": type(error).__name__})
            raise UnavailableError("the vector store failed") from error

    def _collection(self, name: str) -> Any:
        found = self._collections.get(name)
        if found is None:
            found = self._client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            self._collections[name] = found
        return found

    def _open(self) -> None:
        if self._client is not None:
            return
        import chromadb
        from chromadb.config import Settings

        options = Settings(anonymized_telemetry=False)
        if self._settings.url:
            self._client = _connect(chromadb, self._settings, options)
            return
        folder = self._settings.path
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(folder)
        self._client = chromadb.PersistentClient(path=str(folder), settings=options)

    def _close(self) -> None:
        client, self._client = self._client, None
        self._collections.clear()
        if client is not None and hasattr(client, "close"):
            client.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def collection_name(tenant: TenantId, kind: Kind) -> str:
    """Return a legal collection name, unequal for unequal tenants."""
    if _PLAIN_NAME.fullmatch(tenant) and not tenant.startswith("h-"):
        return f"{kind}.{tenant}"
    return f"{kind}.h-{hashlib.sha256(tenant.encode()).hexdigest()[:32]}"


def _upsert(rows: Any, **columns: Any) -> None:
    rows.upsert(**columns)


def _delete(rows: Any, ids: list[str]) -> None:
    rows.delete(ids=ids)


def _connect(chromadb: Any, settings: VectorSettings, options: Any) -> Any:
    url = urlsplit(settings.url or "")
    if url.scheme not in ("http", "https") or not url.hostname:
        raise MisconfiguredError("USHER_CHROMA_URL must look like http://host:8000")
    headers = {}
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    try:
        return chromadb.HttpClient(
            host=url.hostname,
            port=url.port or (443 if url.scheme == "https" else 8000),
            ssl=url.scheme == "https",
            headers=headers,
            settings=options,
        )
    except Exception as error:
        raise UnavailableError("the Chroma server does not answer") from error


def _hold(folder: Path) -> IO[str]:
    lock = (folder / ".usher.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise MisconfiguredError(
            f"another process uses the vector folder {str(folder)!r}: stop it, talk to it, "
            "or set USHER_CHROMA_URL to a Chroma server"
        ) from error
    return lock
