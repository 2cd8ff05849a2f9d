"""GET and PATCH /manage/policy over the real store: what is set holds, what is none is refused."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from app.api import errors, policy
from app.store.database import Database, DatabaseSettings
from core.clock import FrozenClock
from tests.store.scene import DEMO, Scene


@pytest.fixture
async def scene(database_url: str, clock: FrozenClock) -> AsyncIterator[Scene]:
    database = Database(DatabaseSettings(url=database_url))
    made = Scene(database, clock)
    await made.begin()
    yield made
    await database.close()


class Told:
    """A fan-out that remembers."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    async def publish(self, topic: str, _payload: object) -> None:
        self.topics.append(topic)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def client(scene: Scene, told: Told) -> AsyncIterator[httpx.AsyncClient]:
    web = FastAPI()
    web.include_router(policy.router)
    errors.install(web)
    web.state.services = SimpleNamespace(
        settings=SimpleNamespace(development=True),
        directory=scene.directory,
        access=scene.access,
        fanout=told,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web, raise_app_exceptions=False),
        base_url="http://usher.test",
        headers={"authorization": "Bearer dev"},
    ) as made:
        yield made


async def test_what_is_given_changes_and_the_rest_stays(
    client: httpx.AsyncClient, scene: Scene, told: Told
) -> None:
    before = (await client.get("/manage/policy")).json()
    changed = await client.patch(
        "/manage/policy",
        json={
            "domains": ["docs.acme.com", "*.acme.com"],
            "mode": "draft",
            "by_channel": {"sms": "manual"},
            "numbers": {"ORDER": "ORD-######"},
            "paused_channels": ["email"],
            "persona": "A calm host.",
            "tones": {"enterprise": "Formal."},
            "reading_level": "plain",
        },
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["brand"] == before["brand"]
    kept = await scene.directory.policy(DEMO)
    assert kept.domains == ("docs.acme.com", "*.acme.com")
    assert (kept.mode, kept.by_channel, kept.paused_channels) == (
        "draft",
        {"sms": "manual"},
        frozenset({"email"}),
    )
    assert (kept.persona, kept.tones) == ("A calm host.", {"enterprise": "Formal."})
    assert kept.reading_level == "plain"
    assert changed.json() == (await client.get("/manage/policy")).json()
    assert told.topics == [f"tenant:{DEMO}"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Base"},
        {"domains": ["https://acme.com/x"]},
        {"domains": ["localhost"]},
        {"mode": "loud"},
        {"numbers": {"ORDER": "no shape"}},
        {"editions": []},
        {"thresholds": {"anger": 7}},
        {"tones": {"gold": "Shiny."}},
        {"reading_level": "expert"},
        {"persona": "x" * 501},
        {"persona": "a\x00b"},
        {"secret": "x"},
    ],
)
async def test_what_is_none_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    before = (await client.get("/manage/policy")).json()
    refused = await client.patch("/manage/policy", json=wrong)
    assert refused.status_code == 422
    assert (await client.get("/manage/policy")).json() == before


async def test_it_takes_a_secret_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/manage/policy", headers={"authorization": "Bearer nobody"})
    assert answer.status_code == 401
