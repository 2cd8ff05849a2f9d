"""A whole running usher, as `make run` starts it: one for the run, shared by every test that knocks from outside.

A second one with a language model (a scripted stand-in) starts from a copy of the first one's database, so
that the handbook is read once.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import services
from tests.guards import NO_CERTIFICATES

KEY = {"authorization": "Bearer dev"}


@dataclass(frozen=True, slots=True)
class Live:
    """A running server."""

    url: str
    directory: Path

    def client(self, tenant: str | None = None) -> httpx.AsyncClient:
        """Return a client with the development key."""
        headers = {**KEY, **({"x-tenant": tenant} if tenant else {})}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=60, verify=NO_CERTIFICATES
        )


def shared() -> Live:
    """Return the run's server, starting it if this is the first to ask. Takes a minute the first time."""
    service = services.ensure("usher")
    return Live(f"http://127.0.0.1:{service.port}", service.directory)


@contextlib.contextmanager
def with_model(model_url: str) -> Iterator[Live]:
    """Run a second server whose language model answers at `model_url`."""
    first = shared()
    name = f"usher-{services.free_port()}"
    directory = services.run_dir() / name
    (directory / "var").mkdir(parents=True)
    with (
        contextlib.closing(sqlite3.connect(first.directory / "var" / "usher.db")) as source,
        contextlib.closing(sqlite3.connect(directory / "var" / "usher.db")) as target,
    ):
        source.backup(target)
        # conversations and addresses of the first server's simulator are not this one's
        target.execute("DELETE FROM inboxes WHERE channel IN ('sms', 'slack', 'email', 'whatsapp')")
        target.commit()
    (directory / ".env").write_text(
        f"OPENAI_BASE_URL={model_url}/v1\nOPENAI_API_KEY=sk-test-none\nUSHER_LLM_MODEL=scripted\n"
    )
    service = services.ensure("usher", name)
    try:
        yield Live(f"http://127.0.0.1:{service.port}", directory)
    finally:
        service.stop()
