"""The customer panel: how sure we are, who may be the same person, and what went out unasked."""

from typing import Any

import httpx
import pytest

from app.store.unasked import SqlUnasked
from app.store.wishes import Wish
from core.delivery import Purpose
from core.effects import Identify
from core.messages import Assurance, IdentityClaim
from core.ports import Accepted
from tests.app.console.office import Office
from tests.store.scene import DEMO

MAIL = "jane@acme.example"


async def panel(client: httpx.AsyncClient, contact: str) -> dict[str, Any]:
    answer = await client.get(f"/console/api/contacts/{contact}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def two(desk: Office) -> tuple[str, Accepted]:
    """Return Jane, whom the tenant knows, and a visitor who says that her address is theirs."""
    jane = await desk.scene.directory.put_contact(DEMO, "jane", {"email": MAIL, "name": "Jane"})
    accepted = await desk.scene.says("hi")
    stated = IdentityClaim("email", MAIL, Assurance.CLAIMED)
    await desk.scene.answers(accepted, effects=(Identify(stated),))
    return jane.id, accepted


async def test_a_match_is_accepted_and_undone(desk: Office) -> None:
    jane, accepted = await two(desk)
    async with desk.signed_in("maya") as maya:
        before = await panel(maya, accepted.contact_id)
        assert {(i["kind"], i["assurance"]) for i in before["contact"]["identities"]} == {
            ("web", "channel"),
            ("email", "claimed"),
        }
        (match,) = before["suggestions"]
        assert (match["contact_id"], match["name"]) == (jane, "Jane")
        where = f"/console/api/contacts/{accepted.contact_id}/matches/{jane}"
        assert (await maya.post(where, json={"same": True})).json() == {"contact": jane}
        (joined,) = (await panel(maya, jane))["joins"]
        assert joined["moved"]["conversations"] == 1
        undo = f"/console/api/contacts/{jane}/joins/{joined['id']}/undo"
        assert (await maya.post(undo)).json() == {"apart": accepted.contact_id}
        assert (await panel(maya, jane))["joins"] == []
        assert (await maya.post(undo)).status_code == 409


async def test_a_match_is_rejected(desk: Office) -> None:
    jane, accepted = await two(desk)
    async with desk.signed_in("maya") as maya:
        where = f"/console/api/contacts/{jane}/matches/{accepted.contact_id}"
        assert (await maya.post(where, json={"same": False})).json() == {"contact": jane}
        assert (await panel(maya, jane))["suggestions"] == []


@pytest.mark.parametrize(
    ("who", "headers", "status"),
    [("vera", {}, 403), ("maya", {"x-usher-console": "0"}, 403)],
    ids=["viewer", "other-site"],
)
async def test_only_who_may_write_decides(
    quick: Office, who: str, headers: dict[str, str], status: int
) -> None:
    jane, accepted = await two(quick)
    async with quick.signed_in(who) as client:
        client.headers.update(headers)
        for where in (f"matches/{jane}", "joins/aud_1/undo"):
            url = f"/console/api/contacts/{accepted.contact_id}/{where}"
            assert (await client.post(url, json={"same": True})).status_code == status


async def test_what_was_not_sent_is_shown_with_its_reason(desk: Office) -> None:
    accepted = await desk.scene.says("hi")
    store = SqlUnasked(desk.scene.database, desk.clock, {})
    wished = Wish(Purpose.SURVEY, accepted.contact_id, "s", "survey.ask", {})
    made = await store.wish(DEMO, wished)
    assert made is not None
    await store.settle(made, lambda *_given: "never said")
    async with desk.signed_in("vera") as vera:
        (row,) = (await panel(vera, accepted.contact_id))["unasked"]
        assert (row["purpose"], row["state"], row["reason"]) == ("survey", "refused", "nowhere")
