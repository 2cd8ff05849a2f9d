"""GET /files/{token}: a signed link downloads one file, for a while, and is never a page of ours."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from app.api import errors, files
from app.store.database import Database, DatabaseSettings
from app.store.files import SqlFiles
from core.clock import FrozenClock
from tests.core.test_files import PDF, PNG
from tests.store.scene import DEMO, Scene

TEXT = b"<b>hi</b>, plain words"


@pytest.fixture
async def kept(sqlite_url: str, clock: FrozenClock) -> AsyncIterator[SqlFiles]:
    database = Database(DatabaseSettings(url=sqlite_url))
    await Scene(database, clock).begin()
    yield SqlFiles(database, clock, "http://help.test")
    await database.close()


@pytest.fixture
async def client(kept: SqlFiles) -> AsyncIterator[httpx.AsyncClient]:
    web = FastAPI()
    web.state.services = SimpleNamespace(files=kept)
    errors.install(web)
    web.include_router(files.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web), base_url="http://help.test"
    ) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "kind", "data", "served"),
    [
        ("plañ.pdf", "application/pdf", PDF, "application/pdf"),
        ("shot.png", "image/png", PNG, "image/png"),
        ("notes.txt", "text/html", TEXT, "text/plain; charset=utf-8"),
        ("x.json", "application/json", b'{"a": "</script>"}', "text/plain; charset=utf-8"),
    ],
    ids=["pdf", "picture", "text", "json"],
)
async def test_a_link_downloads(
    kept: SqlFiles,
    client: httpx.AsyncClient,
    clock: FrozenClock,
    name: str,
    kind: str,
    data: bytes,
    served: str,
) -> None:
    put = await kept.put(DEMO, name, kind, data)
    assert put.refused == ""
    url = await kept.link(DEMO, str(put.id), clock.now() + timedelta(hours=1))
    answer = await client.get(url)
    head = await client.head(url)
    assert (answer.status_code, answer.content) == (200, data)
    assert head.status_code == 200
    for each in (answer, head):
        assert each.headers["content-type"] == served
        assert each.headers["content-disposition"].startswith("attachment;")
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in each.headers["content-security-policy"]
    clock.advance(timedelta(hours=2))
    assert (await client.get(url)).status_code == 404


@pytest.mark.parametrize(
    "token", ["x", "fil_0", f"fil_{'0' * 32}.ffffffffffff.{'A' * 43}", "%00", "..%2f..%2fetc", "é"]
)
async def test_any_other_token_is_nothing(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get(f"/files/{token}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/")
