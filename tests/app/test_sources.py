"""Sources through the API and by schedule, over real stores, a real web site and real folders."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from aiohttp import web
from sqlalchemy import update

from app.store import models
from app.store.database import db_now
from core.errors import ConflictError, ForbiddenError
from ingest.origins import IngestSettings
from tests.app.app_server import DEMO, PlainKnowledge, Server, running_app
from tests.ingest.sources.conftest import site
from tests.ingest.sources.site import Site, html, sitemap

__all__ = ["site"]  # the fixture


class Encoding(PlainKnowledge):
    """Makes some vector of each text."""

    async def encode(self, texts: Sequence[str], progress: Any = None) -> Any:
        return np.ones((len(texts), 384), np.float32)


@pytest.fixture
async def server(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    monkeypatch.setenv("USHER_INGEST_ALLOW_HOSTS", "127.0.0.1")
    monkeypatch.setenv("USHER_INGEST_CRAWL_DELAY", "0")
    monkeypatch.setenv("USHER_INGEST_UPLOAD_BYTES", "2000000")
    async with running_app(
        sqlite_url, knowledge=Encoding, worker=False, var_dir=tmp_path / "var"
    ) as opened:
        yield opened


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("# A\n\nThe free trial of the Pro plan lasts 14 days.")
    (root / "b.md").write_text("# B\n\nSecond.")
    return root


async def paths(server: Server, source: str = "docs") -> list[str]:
    return sorted(await server.services.passages.stored(DEMO, source))


async def make(http: httpx.AsyncClient, location: str, **more: Any) -> dict[str, Any]:
    answer = await http.post("/manage/sources", json={"location": location, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def report_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_folder_from_first_look_to_removal(server: Server, docs: Path) -> None:
    async with server.api() as http:
        made = await make(http, str(docs), options={"editions": ["pro"]})
        assert (made["name"], made["kind"], made["next_at"]) == ("docs", "folder", None)
        sync = f"/manage/sources/{made['id']}/sync"
        looked = await report_of(await http.post(sync, params={"dry_run": True}))
        assert (looked["added"], looked["pages"]) == (2, [["added", "a.md"], ["added", "b.md"]])
        assert await paths(server) == []
        done = await report_of(await http.post(sync))
        assert (done["added"], done["failed"]) == (2, [])
        assert await paths(server) == ["a.md", "b.md"]
        (row,) = (await http.get("/manage/sources")).json()["items"]
        assert (row["last_report"]["added"], row["syncing"]) == (2, False)
        assert row["last_at"]
        (document,) = await server.rows(models.documents, path="a.md")
        assert document.editions == ["pro"]

        options = {"exclude": ["b*"], "audience": "internal"}
        await http.patch(f"/manage/sources/{made['id']}", json={"options": options})
        done = await report_of(await http.post("/manage/sources/docs/sync"))
        assert (done["changed"], done["deleted"]) == (1, 1)
        (document,) = await server.rows(models.documents, path="a.md")
        assert (document.editions, document.internal) == ([], True)

        removed = (await http.delete("/manage/sources/docs")).json()
        assert removed == {"deleted": 1}
        assert await paths(server) == []
        assert (await http.get("/manage/sources")).json()["items"] == []


async def test_a_dry_run_tells_what_would_contradict(server: Server, docs: Path) -> None:
    async with server.api() as http:
        await make(http, str(docs))
        await http.post("/manage/sources/docs/sync")
        await asyncio.to_thread(
            (docs / "c.md").write_text, "# A\n\nThe free trial of the Pro plan lasts 30 days."
        )
        for dry_run in (True, False):
            answer = await http.post("/manage/sources/docs/sync", params={"dry_run": dry_run})
            said = dict((await report_of(answer))["warnings"])
            assert "14 days" in str(said), dry_run


async def test_a_site_that_is_down_keeps_its_pages_and_is_tried_again(
    server: Server, site: Site
) -> None:
    site.pages = {"/sitemap.xml": sitemap("/a", "/b"), "/a": html("A"), "/b": html("B")}
    async with server.api() as http:
        made = await make(http, f"{site.url}/sitemap.xml", name="help", every_hours=24)
        assert made["kind"] == "sitemap"
        assert await server.services.syncer.sync_due() == 1
        assert await server.services.syncer.sync_due() == 0
        assert await paths(server, "help") == [f"{site.url}/a", f"{site.url}/b"]
        row = (await http.get("/manage/sources/help")).json()
        assert (row["last_report"]["added"], row["last_report"]["failed"]) == (2, [])

        site.pages["/sitemap.xml"] = web.Response(status=503)
        await due(server)
        assert await server.services.syncer.sync_due() == 1
        row = (await http.get("/manage/sources/help")).json()
        assert "answers 503" in row["last_report"]["error"]
        assert row["syncing"] is False
        assert len(await paths(server, "help")) == 2

        site.pages |= {"/sitemap.xml": sitemap("/a"), "/a": web.Response(status=500)}
        await due(server)
        await server.services.syncer.sync_due()
        assert len(await paths(server, "help")) == 2  # one page is unsure: nothing is deleted
        site.pages["/a"] = html("A")
        await due(server)
        await server.services.syncer.sync_due()
        assert await paths(server, "help") == [f"{site.url}/a"]


async def due(server: Server) -> None:
    async with server.database.write() as connection:
        await connection.execute(update(models.sources).values(next_at=db_now()))


async def test_an_unchanged_page_is_not_sent_again(server: Server, site: Site) -> None:
    site.pages = {"/": html("Home", "/a"), "/a": html("A", "/b"), "/b": html("B")}
    async with server.api() as http:
        await make(http, site.url, name="help")
        await http.post("/manage/sources/help/sync")
        done = await report_of(await http.post("/manage/sources/help/sync"))
        assert (done["unchanged"], done["added"], done["changed"]) == (3, 0, 0)


async def test_one_run_of_a_source_at_a_time(server: Server, docs: Path) -> None:
    async with server.api() as http:
        made = await make(http, str(docs))
        syncer = server.services.syncer
        held = await syncer.sources.claim(DEMO, "docs")
        for call in (
            http.post("/manage/sources/docs/sync"),
            http.delete("/manage/sources/docs"),
        ):
            assert (await call).status_code == 409
        assert (await http.get("/manage/sources/docs")).json()["syncing"] is True
        once = {"path": str(docs), "source": "docs"}
        assert (await http.post("/manage/ingest", json=once)).status_code == 409
        await syncer.sources.release(held, None, None)
        assert (await http.post("/manage/ingest", json=once)).status_code == 200
        assert (await http.delete(f"/manage/sources/{made['id']}")).status_code == 200


async def test_a_run_that_lost_its_lease_ends(
    server: Server, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ingesting.RENEW_SECONDS", 0.01)
    syncer = server.services.syncer
    async with server.api() as http:
        await make(http, str(docs))

    async def slowly(texts: Sequence[str]) -> Any:
        async with server.database.write() as connection:
            await connection.execute(update(models.sources).values(lease_until=db_now(-1)))
        await syncer.sources.claim(DEMO, "docs")
        await asyncio.Event().wait()

    object.__setattr__(syncer, "encode", slowly)
    with pytest.raises(ConflictError, match="another run"):
        await syncer.sync(DEMO, "docs")
    row = await syncer.sources.get(DEMO, "docs")
    assert (row.lease is not None, row.last_report) == (True, None)  # the other run's to end


async def test_files_and_zips_that_are_sent(server: Server, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("guide/c.md", "# C\n\nThird.")
        archive.writestr("../evil.md", "x")
    async with server.api() as http:
        await make(http, "", kind="upload", name="sent")
        send = "/manage/sources/sent/upload"
        files = [
            ("files", ("a.md", b"# A\n\nFirst.")),
            ("files", ("docs.zip", packed.getvalue())),
            ("files", ("x.exe", b"x")),
        ]
        done = await report_of(await http.post(send, files=files))
        assert (done["added"], dict(done["failed"])) == (
            2,
            {"../evil.md": "leads outside the folder", "x.exe": "unknown kind of file '.exe'"},
        )
        more = [("files", ("b.md", b"# B\n\nSecond."))]
        assert (await report_of(await http.post(send, files=more)))["deleted"] == 0
        assert await paths(server, "sent") == ["a.md", "b.md", "guide/c.md"]
        replaced = await http.post(send, files=more, params={"replace": True})
        assert (await report_of(replaced))["deleted"] == 2
        assert await paths(server, "sent") == ["b.md"]
        left = await asyncio.to_thread(lambda: list((tmp_path / "var" / "uploads").iterdir()))
        assert left == []


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("files", ("../a.md", b"x"))], 422),
        ([("files", ("a.md", b"x" * 2_100_000))], 413),
        ([("files", (None, b"x"))], 422),
    ],
)
async def test_uploads_that_are_refused(server: Server, files: Any, status: int) -> None:
    async with server.api() as http:
        await make(http, "", kind="upload", name="sent")
        answer = await http.post("/manage/sources/sent/upload", files=files)
        assert answer.status_code == status, answer.text
        assert await paths(server, "sent") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"location": "ftp://x.test/"}, 422),
        ({"location": "https://x.test/", "kind": "carrier pigeon"}, 422),
        ({"location": "https://x.test/", "name": "answers"}, 422),
        ({"location": "https://x.test/", "every_hours": 0}, 422),
        ({"location": "https://x.test/", "options": {"url": "javascript:{path}"}}, 422),
        ({"location": "https://x.test/", "options": {"colour": "red"}}, 422),
        ({"kind": "upload", "name": "sent", "every_hours": 1}, 422),
        ({"location": "git@x.test:a/b.git"}, 403),
        ({"location": "docs\x00"}, 422),
    ],
)
async def test_sources_that_are_refused(server: Server, body: dict[str, Any], status: int) -> None:
    async with server.api() as http:
        answer = await http.post("/manage/sources", json=body)
        assert answer.status_code == status, answer.text
        assert (await http.get("/manage/sources")).json()["items"] == []


async def test_a_site_inside_the_network_is_refused_and_said(server: Server) -> None:
    async with server.api() as http:
        await make(http, "http://169.254.169.254/latest/meta-data/", name="inside")
        answer = await http.post("/manage/sources/inside/sync")
        assert answer.status_code == 403
        row = (await http.get("/manage/sources/inside")).json()
        assert "private network" in row["last_report"]["error"]


async def test_names_are_a_tenants_own(server: Server, docs: Path) -> None:
    async with server.api() as http:
        await http.post("/manage/tenants", json={"id": "other", "name": "Other"})
        made = await make(http, str(docs))
        again = await http.post("/manage/sources", json={"location": str(docs)})
        assert again.status_code == 409
        http.headers["x-tenant"] = "other"
        for call in (http.get, http.delete):
            assert (await call(f"/manage/sources/{made['id']}")).status_code == 404
        await make(http, str(docs))


async def test_once_without_a_row(server: Server, site: Site, docs: Path) -> None:
    site.pages = {"/": html("Home")}
    async with server.api() as http:
        for body in ({"path": str(docs)}, {"path": site.url, "source": "help"}):
            answer = await http.post("/manage/ingest", json=body)
            assert answer.status_code == 200, answer.text
        assert await paths(server) == ["a.md", "b.md"]
        assert await paths(server, "help") == [f"{site.url}/"]
        assert (await http.get("/manage/sources")).json()["items"] == []


async def test_once_from_a_kept_place_takes_the_options_kept(server: Server, docs: Path) -> None:
    async with server.api() as http:
        await make(http, str(docs), options={"editions": ["pro"], "exclude": ["b*"]})
        await http.post("/manage/sources/docs/sync")
        done = await report_of(await http.post("/manage/ingest", json={"path": str(docs)}))
        assert (done["unchanged"], done["added"]) == (1, 0)
        (document,) = await server.rows(models.documents)
        assert document.editions == ["pro"]


async def test_in_production_a_folder_is_one_that_was_allowed(
    server: Server, docs: Path, tmp_path: Path
) -> None:
    syncer = server.services.syncer
    object.__setattr__(syncer, "settings", IngestSettings(folders=(str(docs),)))
    assert (await syncer.ingest(DEMO, str(docs))).added == 2
    for place in (str(tmp_path), str(docs / ".." / "var"), "/etc"):
        with pytest.raises(ForbiddenError):
            await syncer.ingest(DEMO, place)
