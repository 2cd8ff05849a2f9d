"""What a customer may not see is in nothing they, or a question in their name, are shown; with the real knowledge."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.store import models
from core.ids import TenantId
from core.ports import Chunk, Document
from tests.app.app_server import DEMO, START, Server, running_app

OTHER = TenantId("other")
QUESTION = "How do I rotate the encryption keys?"

# path → (who may see it, its fields); each says something of its own on the same subject
HIDDEN: dict[str, dict[str, Any]] = {
    "internal": {"internal": True},
    "enterprise": {"editions": ("enterprise",)},
    "expired": {"valid_until": START - timedelta(days=1)},
    "not-yet": {"valid_from": START + timedelta(days=30)},
    "spain-only": {"locale": "en", "metadata": {"only_locales": "es"}},
}


def text_of(name: str) -> str:
    return (
        f"To rotate the encryption keys, open the {name} vault and select Rotate keys."
        f" Rotating encryption keys takes {name} minutes."
    )


async def bring(server: Server, tenant: TenantId, name: str, **more: Any) -> None:
    title = f"Rotate encryption keys {name}"
    (vector,) = await server.services.encode([f"{title}. {text_of(name)}"])
    document = Document(
        "docs", f"{name}.md", title, name, (Chunk(0, "Rotate keys", text_of(name), "rotate"),),
        url=f"https://x.test/{name}", **more,
    )  # fmt: skip
    await server.services.passages.put(tenant, document, [vector.tobytes()])


@pytest.fixture
async def server(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(sqlite_url, knowledge=None, var_dir=tmp_path) as opened:
        await opened.services.directory.ensure_tenant(OTHER, "Other")
        for name, fields in HIDDEN.items():
            await bring(opened, DEMO, name, **fields)
        await bring(opened, OTHER, "foreign")
        for tenant in (DEMO, OTHER):
            await opened.services.after_ingest(tenant)
        yield opened


async def explain(http: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post("/explain", json={"text": QUESTION, "k": 50, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def documents(found: dict[str, Any]) -> set[str]:
    return {p["document"] for p in found["passages"]}


async def test_nothing_hidden_is_in_an_explanation(server: Server) -> None:
    async with server.api() as http:
        found = await explain(http)
        assert found["passages"] == []
        names = [*HIDDEN, "foreign"]
        assert [name for name in names if f"{name} vault" in str(found)] == []
        assert found["reply"]["citations"] == []
        assert found["decision"]["action"] == "decline"


# what is supposed of the one who asks → what they see
VIEWS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"edition": "Enterprise"}, {"enterprise.md"}),
    ({"edition": "no such plan"}, set()),
    ({"now": (START - timedelta(days=2)).isoformat()}, {"expired.md"}),
    ({"now": datetime(2026, 5, 1, tzinfo=UTC).isoformat()}, {"not-yet.md"}),
    ({"locale": "es", "text": "¿Cómo puedo rotar las encryption keys?"}, {"spain-only.md"}),
    ({"customer_id": "big-1"}, {"enterprise.md"}),
    ({"customer_id": "small-1"}, set()),
    ({"customer_id": "small-1", "edition": "enterprise"}, {"enterprise.md"}),
)


async def test_each_page_is_seen_by_those_it_is_for(server: Server) -> None:
    async with server.api() as http:
        for name, edition in (("big", "enterprise"), ("small", "starter")):
            await http.put(f"/accounts/{name}", json={"name": name, "edition": edition})
            await http.put(f"/contacts/{name}-1", json={"account": name})
        for body, seen in VIEWS:
            assert documents(await explain(http, **body)) == seen, body
        unknown = await http.post("/explain", json={"text": QUESTION, "customer_id": "nobody"})
        assert unknown.status_code == 404
        http.headers["x-tenant"] = OTHER
        assert documents(await explain(http, edition="enterprise")) == {"foreign.md"}


async def test_what_is_hidden_takes_no_place_from_what_is_not(server: Server) -> None:
    for n in range(12):
        await bring(server, DEMO, f"secret-{n}", internal=True)
    await bring(server, DEMO, "public")
    async with server.api() as http:
        assert documents(await explain(http, k=1)) == {"public.md"}


async def test_a_conversation_leaks_nothing_and_its_gap_neither(server: Server) -> None:
    async with server.api() as http:
        message = {"channel": "web", "text": QUESTION, "customer_id": "ann"}
        said = (await http.post("/msg", json=message)).json()
        assert said["citations"] == []
        vague = {**message, "text": "encryption keys"}
        asked_back = (await http.post("/msg", json=vague)).json()
    gaps = await server.rows(models.gaps)
    assert gaps
    for name in (*HIDDEN, "foreign"):
        shown = str((said, asked_back, [(g.question, g.nearest) for g in gaps]))
        assert f"{name} vault" not in shown
        assert f"{name}.md" not in shown
        assert f"keys {name}" not in shown


async def test_the_one_it_is_for_is_answered_with_a_link_to_the_section(server: Server) -> None:
    async with server.api() as http:
        await http.put("/accounts/big", json={"name": "Big", "edition": "enterprise"})
        await http.put("/contacts/bob", json={"account": "big"})
        message = {"channel": "web", "text": QUESTION, "customer_id": "bob"}
        said = (await http.post("/msg", json=message)).json()
        assert [c["document"] for c in said["citations"]] == ["enterprise.md"]
        assert said["citations"][0]["url"] == "https://x.test/enterprise#rotate"


async def test_a_deleted_page_is_silent_at_once_whatever_is_still_indexed(server: Server) -> None:
    await bring(server, DEMO, "public")
    await server.services.after_ingest(DEMO)
    async with server.api() as http:
        assert documents(await explain(http)) == {"public.md"}
        await server.services.passages.delete(DEMO, "docs", ["public.md"])
        found = await explain(http)
        assert (documents(found), found["reply"]["citations"]) == (set(), [])
        await bring(server, DEMO, "public")
        assert documents(await explain(http)) == {"public.md"}
