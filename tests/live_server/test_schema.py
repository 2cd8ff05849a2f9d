"""Whatever fits or misses the OpenAPI document, a running server answers without a 5xx and refuses by problem+json.

The tenant is one of its own, so that nothing of this is seen by other tests.
"""

from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from app.api import errors
from app.main import routers
from tests.live import KEY, Live

pytestmark = [pytest.mark.allow_blocking, pytest.mark.slow]

HEADERS = {**KEY, "x-tenant": "fuzz"}
PROBLEM = {"type", "title", "status", "code", "detail"}
# Values that exist, where a random one is refused at the door and nothing behind it would be tried.
KNOWN = {
    "channel": "web",
    "locale": "es",
    "tz": "Europe/Madrid",
    "slot_id": None,
    "asset_id": "review",
    "SLA_pref": "asap",
    "renewal_date": "2027-03-31",
    "time_zone": "Europe/Madrid",
    "owner": None,
    "account": None,
    "email": None,
    "phone": None,
    "cust_id": "kim",
}


def _document() -> dict[str, Any]:
    """Return the API's OpenAPI document without a running server: what to try is known before there is one."""
    bare = FastAPI(responses=errors.RESPONSES)
    errors.describe(bare)
    for router in routers():
        bare.include_router(router)
    return bare.openapi()


schema = schemathesis.openapi.from_dict(_document())


_found: Any = schema.get_all_operations()
OPERATIONS = [each.ok() for each in _found]


@pytest.fixture
def base_url(live: Live) -> str:
    """Where the server runs, with the tenant made."""
    body = {"id": HEADERS["x-tenant"], "name": "Fuzz"}
    httpx.post(f"{live.url}/manage/tenants", json=body, headers=KEY).raise_for_status()
    return live.url


@pytest.fixture
def existing(base_url: str) -> dict[str, Any]:
    """Values that exist in the tenant, a conversation and a fact among them."""
    with httpx.Client(base_url=base_url, headers=HEADERS, timeout=60) as http:
        said = http.post("/msg", json={"channel": "web", "text": "hello"}).json()
        fact = {"cust_id": KNOWN["cust_id"], "key": "team", "val": "forty people"}
        http.post("/memory", json=fact).raise_for_status()
    return {**KNOWN, **{k: said[k] for k in ("conversation_id", "message_id", "trace_id")}}


def aimed(values: Any, known: dict[str, Any]) -> Any:
    """Return a body, query or path whose texts of a known name have a value that exists."""
    if not isinstance(values, dict):
        return values
    return {k: known[k] if k in known and isinstance(v, str) else v for k, v in values.items()}


def require_sound(answer: Any) -> None:
    """Fail for a 5xx, for an error that is no problem document, and for a body that is none."""
    assert answer.status_code < 500, answer.text
    kind = "".join(answer.headers.get("content-type", ()))
    refused = answer.status_code >= 400
    assert (kind == "application/problem+json") == refused, (answer.status_code, kind)
    assert not refused or set(answer.json()) >= PROBLEM
    assert not refused or answer.json()["status"] == answer.status_code


bounded = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_server_shows_the_document_that_is_tried(base_url: str) -> None:
    assert httpx.get(f"{base_url}/openapi.json").json()["paths"] == _document()["paths"]


@schema.parametrize()
@bounded
def test_no_request_breaks_an_operation(case: Any, base_url: str) -> None:
    require_sound(case.call(base_url=base_url, headers=HEADERS))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_breaks_what_lies_behind_the_door(
    operation: Any, base_url: str, existing: dict[str, Any]
) -> None:
    """Fit the schema, name things that exist, and be anything at all besides."""
    # every message of this test opens a conversation: in one that a person has, no handler runs
    known = existing | ({"conversation_id": None} if operation.label == "POST /msg" else {})

    @bounded
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def knock(case: Any) -> None:
        case.body, case.query = aimed(case.body, known), aimed(case.query, known)
        case.path_parameters = aimed(case.path_parameters, known)
        require_sound(case.call(base_url=base_url, headers=HEADERS))

    knock()


async def test_the_document_declares_problems_as_they_are_sent(live: Live) -> None:
    async with live.client() as client:
        document = (await client.get("/openapi.json")).json()
    operations = [o for path in document["paths"].values() for o in path.values()]
    assert operations
    assert {
        (tuple(o["responses"]["4XX"]["content"]), "422" in o["responses"]) for o in operations
    } == {(("application/problem+json",), False)}
