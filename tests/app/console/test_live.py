"""The console's socket: who may listen, what they hear, and that it says nothing to the others."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.app.console.office import Office, serving
from tests.store.scene import OTHER

COOKIE = "usher_console"


async def heard(socket: Any) -> dict[str, Any]:
    found = json.loads(await asyncio.wait_for(socket.recv(), 10))
    assert isinstance(found, dict)
    return found


async def cookie(desk: Office, who: str) -> dict[str, str]:
    async with desk.signed_in(who) as client:
        return {"cookie": f"{COOKIE}={client.cookies[COOKIE]}"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"cookie": f"{COOKIE}=guessed"}, 4401), ({"origin": "https://evil.example"}, 4403)],
)
async def test_a_stranger_hears_nothing(quick: Office, headers: dict[str, str], code: int) -> None:
    signed = await cookie(quick, "maya")
    async with (
        serving(quick.app) as host,
        connect(f"ws://{host}/console/ws", additional_headers={**signed, **headers}) as socket,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


async def test_a_page_hears_of_its_own_team_only(quick: Office) -> None:
    signed = await cookie(quick, "vera")
    async with (
        serving(quick.app) as host,
        connect(f"ws://{host}/console/ws", additional_headers=signed) as socket,
    ):
        welcome = await heard(socket)
        await quick.says("theirs", tenant=OTHER)
        ours = await quick.says("ours")
        hint = await heard(socket)
    assert welcome == {"type": "welcome"}
    assert hint == {"type": "conversation", "conversation_id": ours.conversation_id}


async def test_colleagues_see_who_is_here(quick: Office) -> None:
    maya, noah = await cookie(quick, "maya"), await cookie(quick, "noah")
    here = {"type": "here", "conversation_id": "cnv_1", "writing": True}
    odd = ["not json", "[]", "{}", json.dumps({**here, "conversation_id": "../x"}), "x" * 600]
    async with (
        serving(quick.app) as host,
        connect(f"ws://{host}/console/ws", additional_headers=maya) as writes,
        connect(f"ws://{host}/console/ws", additional_headers=noah) as looks,
    ):
        await heard(writes)
        await heard(looks)
        for text in [*odd, json.dumps(here)]:
            await writes.send(text)
        seen = await heard(looks)
        accepted = await quick.says("hello")
        own = await heard(writes)
    assert (seen["type"], seen["csm"], seen["conversation_id"], seen["writing"]) == (
        "presence",
        "Maya Okafor",
        "cnv_1",
        True,
    )
    assert own == {"type": "conversation", "conversation_id": accepted.conversation_id}
