"""What checks read: the newest word of consent, and the pages an edition does not have."""

from datetime import timedelta

import pytest

from app.store.checks import SqlConsents, SqlFeatures
from core.messages import ConsentChange
from core.ports import Document
from tests.store.scene import DEMO, OTHER, Scene


async def says(scene: Scene, word: str, granted: bool | None, sender: str = "+1541") -> None:
    scene.numbers += 1
    scene.clock.advance(timedelta(minutes=1))
    change = ConsentChange("sms", sender, f"ext-{scene.numbers}", word, granted)
    assert await scene.intake.consent(scene.inboxes[f"{DEMO}:sms"], change, None)


async def test_the_newest_word_counts(scene: Scene) -> None:
    consents = SqlConsents(scene.database)
    assert await consents.granted(DEMO, "sms", ["+1541"]) is None
    await says(scene, "STOP", granted=False)
    assert await consents.granted(DEMO, "sms", ["+1541"]) is False
    await says(scene, "HELP", granted=None)
    assert await consents.granted(DEMO, "sms", ["+1541"]) is False
    await says(scene, "START", granted=True)
    assert await consents.granted(DEMO, "sms", ["+1541"]) is True
    await says(scene, "STOP", granted=False, sender="+1777")
    assert await consents.granted(DEMO, "sms", ["+1541", "+1777"]) is False


@pytest.mark.parametrize(
    ("channel", "addresses"), [("whatsapp", ["+1541"]), ("sms", ["+1542"]), ("sms", [])]
)
async def test_a_word_holds_for_its_channel_and_address(
    scene: Scene, channel: str, addresses: list[str]
) -> None:
    await says(scene, "START", granted=True)
    assert await SqlConsents(scene.database).granted(DEMO, channel, addresses) is None
    assert await SqlConsents(scene.database).granted(OTHER, "sms", ["+1541"]) is None


async def test_pages_of_higher_editions(scene: Scene) -> None:
    features = SqlFeatures(scene.database, scene.clock)
    for title, editions, internal in (
        ("Boards", (), False),
        ("Exports", ("pro", "enterprise"), False),
        ("Single sign-on", ("enterprise",), False),
        ("Runbook", ("enterprise",), True),
    ):
        page = Document("s", f"{title}.md", title, title, (), editions=editions, internal=internal)
        await scene.passages.put(DEMO, page, [])
    locked = {"Exports": ("pro", "enterprise"), "Single sign-on": ("enterprise",)}
    assert await features.above(DEMO, None) == locked
    assert await features.above(DEMO, "starter") == locked
    assert await features.above(DEMO, "unheard of") == locked
    assert set(await features.above(DEMO, "pro")) == {"Single sign-on"}
    assert await features.above(DEMO, "enterprise") == {}
    assert await features.above(OTHER, None) == {}
