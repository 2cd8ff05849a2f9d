"""GET, POST, DELETE /manage/intents and the heads, over the real store; training is written down."""

from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from app.api import errors, intents
from app.store.database import Database, DatabaseSettings
from core.clock import FrozenClock
from core.errors import MisconfiguredError
from tests.store.scene import DEMO, OTHER, Scene

DEV = {"authorization": "Bearer dev"}
PHRASES = [
    {"text": "is it under warranty", "intent": "warranty"},
    {"text": "guarantee of the mixer", "intent": "warranty"},
    {"text": "where is my parcel", "intent": "delivery"},
]


@pytest.fixture
async def scene(database_url: str, clock: FrozenClock) -> AsyncIterator[Scene]:
    database = Database(DatabaseSettings(url=database_url))
    made = Scene(database, clock)
    await made.begin()
    yield made
    await database.close()


@pytest.fixture
def trained() -> list[str]:
    """The tenants that were trained, in order."""
    return []


@pytest.fixture
async def client(scene: Scene, trained: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async def teach(tenant: str) -> int:
        trained.append(tenant)
        return len(await scene.intents.all(DEMO if tenant == DEMO else OTHER))

    async def reload_heads() -> Mapping[str, object]:
        raise MisconfiguredError("head 'anger.npz' cannot be read")

    app = FastAPI()
    app.include_router(intents.router)
    errors.install(app)
    app.state.services = SimpleNamespace(
        intents=scene.intents,
        teach=teach,
        heads=lambda: {"heads": ["anger@2"], "shadow": []},
        reload_heads=reload_heads,
        access=scene.access,
        directory=scene.directory,
        settings=SimpleNamespace(development=True),
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=DEV) as each:
        yield each


async def test_taught_seen_and_taken_back(client: httpx.AsyncClient, trained: list[str]) -> None:
    taught = await client.post("/manage/intents", json={"phrases": PHRASES})
    assert taught.json() == {"changed": 3, "phrases": 3}
    gone = await client.delete("/manage/intents", params={"text": "where is my parcel"})
    assert gone.json() == {"removed": 1, "phrases": 2}
    assert (await client.get("/manage/intents")).json() == {
        "intents": [
            {"name": "warranty", "phrases": ["guarantee of the mixer", "is it under warranty"]}
        ],
        "none": [],
    }
    assert trained == [DEMO, DEMO]


async def test_a_correction_moves_a_phrase_and_null_makes_it_nobodys(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/manage/intents", json={"phrases": PHRASES})
    moved = [
        {"text": "is it under warranty", "intent": "delivery"},
        {"text": "where is my parcel", "intent": None},
    ]
    answer = await client.post("/manage/intents", json={"phrases": moved})
    assert answer.json() == {"changed": 2, "phrases": 3}
    seen = (await client.get("/manage/intents")).json()
    assert seen["none"] == ["where is my parcel"]
    assert {each["name"] for each in seen["intents"]} == {"delivery", "warranty"}


async def test_a_whole_intent_and_everything_can_go(client: httpx.AsyncClient) -> None:
    await client.post("/manage/intents", json={"phrases": PHRASES})
    gone = await client.delete("/manage/intents", params={"intent": "warranty"})
    assert gone.json() == {"removed": 2, "phrases": 1}
    assert (await client.delete("/manage/intents")).json() == {"removed": 1, "phrases": 0}


async def test_tenants_see_their_own(client: httpx.AsyncClient) -> None:
    await client.post("/manage/intents", json={"phrases": PHRASES})
    theirs = await client.get("/manage/intents", headers={"x-tenant": OTHER})
    assert theirs.json() == {"intents": [], "none": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"phrases": []}, 422),
        ({"phrases": [{"text": "x", "intent": ""}]}, 422),
        ({"phrases": [{"text": "x" * 501, "intent": "a"}]}, 422),
        ({"phrases": [{"text": "x"}]}, 422),
    ],
)
async def test_what_cannot_be_taught(
    client: httpx.AsyncClient, trained: list[str], body: dict[str, object], status: int
) -> None:
    assert (await client.post("/manage/intents", json=body)).status_code == status
    assert trained == []


async def test_what_was_never_taught_cannot_be_taken_back(
    client: httpx.AsyncClient, trained: list[str]
) -> None:
    gone = await client.delete("/manage/intents", params={"intent": "nothing"})
    assert gone.status_code == 404


async def test_which_heads_serve_and_a_broken_one_is_named(client: httpx.AsyncClient) -> None:
    assert (await client.get("/manage/heads")).json()["heads"] == ["anger@2"]
    broken = await client.post("/manage/heads/reload")
    assert broken.is_error
    assert "anger.npz" in broken.text


async def test_strangers_teach_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/manage/intents", json={"phrases": PHRASES}, headers={"authorization": "Bearer x"}
    )
    assert answer.status_code == 401
