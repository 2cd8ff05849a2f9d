"""Intents corrected from the console: seen, added, moved, taken back; trained each time, each tenant its own."""

import pytest

from tests.app.console.office import Office
from tests.store.scene import DEMO, OTHER

API = "/console/api/knowledge/intents"
WARRANTY, PARCEL = "is it under warranty", "where is my parcel"


async def test_a_phrase_is_added_moved_and_taken_back(desk: Office) -> None:
    await desk.scene.intents.load(OTHER, [("their own", "warranty")])
    async with desk.signed_in("noah") as http:
        for text in (WARRANTY, PARCEL):
            added = await http.post(API, json={"text": text, "intent": "warranty"})
            assert added.status_code == 200, added.text
        assert added.json() == {"phrases": 2, "intent": {"name": "how_to", "score": 0.9}}
        await http.post(API, json={"text": PARCEL, "intent": None})
        seen = (await http.get(API)).json()
        assert seen["own"] == [
            {"name": "none_of_these", "phrases": [PARCEL]},
            {"name": "warranty", "phrases": [WARRANTY]},
        ]
        gone = await http.post(f"{API}/forget", json={"text": PARCEL})
        assert gone.json() == {"removed": 1, "phrases": 1}
        gone = await http.post(f"{API}/forget", json={"intent": "warranty"})
        assert gone.json() == {"removed": 1, "phrases": 0}
    assert desk.taught == [DEMO] * 5, "each change is learned at once"
    assert await desk.scene.intents.all(OTHER) == [("their own", "warranty")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": " "}, 422),
        ({"text": "never taught"}, 404),
        ({"intent": "never taught"}, 404),
        ({"text": WARRANTY, "intent": "delivery"}, 404),
    ],
)
async def test_what_cannot_be_taken_back_stays(
    quick: Office, body: dict[str, str], status: int
) -> None:
    await quick.scene.intents.load(DEMO, [(WARRANTY, "warranty")])
    async with quick.signed_in("maya") as http:
        assert (await http.post(f"{API}/forget", json=body)).status_code == status
    assert await quick.scene.intents.all(DEMO) == [(WARRANTY, "warranty")]
    assert quick.taught == []
