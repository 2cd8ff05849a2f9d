"""PUT /accounts, PUT /contacts and /memory over the real store."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from app.api import accounts, errors, memory
from app.store.database import Database, DatabaseSettings
from app.store.state import SqlIdempotency
from core.clock import FrozenClock
from tests.store.scene import DEMO, OTHER, Scene

DEV = {"authorization": "Bearer dev"}


@pytest.fixture
async def scene(database_url: str, clock: FrozenClock) -> AsyncIterator[Scene]:
    database = Database(DatabaseSettings(url=database_url))
    made = Scene(database, clock)
    await made.begin()
    yield made
    await database.close()


@pytest.fixture
def applied() -> list[tuple[str, str]]:
    """The contacts whose facts were brought to the index."""
    return []


@pytest.fixture
async def client(scene: Scene, applied: list[tuple[str, str]]) -> AsyncIterator[httpx.AsyncClient]:
    async def after_facts(tenant: str, contact: str) -> None:
        applied.append((tenant, contact))

    app = FastAPI()
    app.include_router(accounts.router)
    app.include_router(memory.router)
    errors.install(app)
    app.state.services = SimpleNamespace(
        settings=SimpleNamespace(development=True),
        directory=scene.directory,
        access=scene.access,
        facts=scene.facts,
        idempotency=SqlIdempotency(scene.database, scene.clock),
        after_facts=after_facts,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://usher.test", headers=DEV
    ) as made:
        yield made


async def test_an_account_is_put_and_changed(client: httpx.AsyncClient) -> None:
    made = await client.put(
        "/accounts/a-1", json={"name": "Acme", "edition": "gold plated", "arr": 48000}
    )
    assert (made.status_code, made.json()["edition"], made.json()["arr"]) == (
        201,
        "starter",
        48000.0,
    )
    changed = await client.put("/accounts/a-1", json={"tier": "gold", "arr": None})
    assert changed.status_code == 200
    assert changed.json() == {**made.json(), "tier": "gold", "arr": None}


async def test_a_contact_is_put_into_its_account(client: httpx.AsyncClient) -> None:
    await client.put("/accounts/a-1", json={})
    made = await client.put(
        "/contacts/c-1", json={"name": "Ann", "account": "a-1", "email": "ann@acme.example"}
    )
    assert (made.status_code, made.json()["account"]) == (201, "a-1")
    assert made.json()["identities"] == [
        {"kind": "email", "value": "ann@acme.example", "assurance": "proven"}
    ]
    assert (await client.put("/contacts/c-1", json={})).status_code == 200
    taken = await client.put("/contacts/c-2", json={"email": "ann@acme.example"})
    assert taken.status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/accounts/a-1", '{"arr": "12"}', 422),
        ("/accounts/a-1", '{"arr": -1}', 422),
        ("/accounts/a-1", '{"arr": 1e999}', 422),
        ("/accounts/a-1", '{"name": 7}', 422),
        ("/accounts/a-1", '{"colour": "red"}', 422),
        ("/accounts/a-1", '{"name": "nul\\u0000"}', 422),
        ("/accounts/a-1", '{"name": "\\ud800"}', 422),
        ("/accounts/a-1", '{"renewal_date": "tomorrow"}', 422),
        ("/accounts/a-1", '{"time_zone": "Mars"}', 422),
        ("/accounts/a-1", '{"domains": ["gmail.com"]}', 422),
        ("/accounts/a-1", "[]", 422),
        ("/accounts/a-1", "{", 400),
        ("/accounts/a%00b", "{}", 422),
        ("/accounts/%20", "{}", 422),
        ("/accounts/" + "x" * 201, "{}", 422),
        ("/contacts/c-1", '{"phone": "call me"}', 422),
        ("/contacts/c-1", '{"account": "unknown"}', 422),
        ("/contacts/c-1", '{"email": ["a@b.example"]}', 422),
        ("/contacts/a%00b", "{}", 422),
    ],
)
async def test_bad_bodies_and_ids_are_problems(
    client: httpx.AsyncClient, scene: Scene, path: str, body: str, status: int
) -> None:
    answer = await client.put(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await scene.directory.accounts(DEMO)).items == ()


async def test_facts_are_remembered_read_and_forgotten(
    client: httpx.AsyncClient, applied: list[tuple[str, str]]
) -> None:
    for key, val in (("team size", "12"), ("browser", "Firefox"), ("team size", "14")):
        said = await client.post("/memory", json={"cust_id": "c-1", "key": key, "val": val})
        assert said.status_code == 201
    assert (said.json()["val"], said.json()["source"]) == ("14", "api")
    kept = (await client.get("/memory/c-1")).json()
    assert {f["key"]: f["val"] for f in kept["facts"]} == {"team size": "14", "browser": "Firefox"}
    assert (await client.delete("/memory/c-1?key=browser")).json() == {"forgotten": 1}
    assert (await client.delete("/memory/c-1")).json() == {"forgotten": 1}
    assert (await client.get("/memory/c-1")).json()["facts"] == []
    assert len(applied) == 5


async def test_the_same_key_is_the_same_write(client: httpx.AsyncClient) -> None:
    body = {"cust_id": "c-1", "key": "size", "val": "12"}
    keyed = {"idempotency-key": "k-1"}
    first = await client.post("/memory", json=body, headers=keyed)
    await client.post("/memory", json={**body, "val": "13"})
    again = await client.post("/memory", json=body, headers=keyed)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await client.post("/memory", json={**body, "val": "14"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await client.get("/memory/c-1")).json()["facts"][0]["val"] == "13"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"cust_id": "c-1", "key": "note", "val": "has diabetes"}, 422),
        ({"cust_id": "c-1", "key": "mood", "val": "fine"}, 422),
        ({"cust_id": "c-1", "key": "k" * 81, "val": "v"}, 422),
        ({"cust_id": "c-1", "key": "k", "val": "v" * 1001}, 422),
        ({"cust_id": "c-1", "key": "k", "val": "v" * 32_001}, 413),
        ({"cust_id": "c-1", "key": "k", "val": ""}, 422),
        ({"cust_id": "c-1", "key": "k", "val": 7}, 422),
        ({"cust_id": "c-1", "key": "k", "val": "nul\x00"}, 422),
        ({"cust_id": "", "key": "k", "val": "v"}, 422),
        ({"cust_id": "c-1", "key": "k", "val": "v", "confidence": 2}, 422),
        ({"cust_id": "c-1", "key": "k"}, 422),
    ],
)
async def test_what_is_not_a_fact_is_refused(
    client: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    answer = await client.post("/memory", json=body)
    assert answer.status_code == status
    facts = await client.get("/memory/c-1")
    assert facts.json().get("facts", []) == []


@pytest.mark.parametrize("cust_id", ["unknown", "x" * 200])
async def test_nobody_is_not_found(client: httpx.AsyncClient, cust_id: str) -> None:
    assert (await client.get(f"/memory/{cust_id}")).status_code == 404
    assert (await client.delete(f"/memory/{cust_id}")).status_code == 404


async def test_tenants_and_keys(client: httpx.AsyncClient, scene: Scene) -> None:
    await client.post("/memory", json={"cust_id": "c-1", "key": "size", "val": "12"})
    _, secret = await scene.access.create_key(OTHER, "server", "secret")
    _, widget = await scene.access.create_key(DEMO, "page", "widget")
    tries = [
        (f"Bearer {secret}", 404),
        (f"Bearer {widget}", 403),
        ("Bearer unknown", 401),
        ("", 401),
    ]
    for header, status in tries:
        answer = await client.get("/memory/c-1", headers={"authorization": header})
        assert answer.status_code == status
