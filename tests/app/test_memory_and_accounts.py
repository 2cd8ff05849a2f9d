"""What is remembered and what the tenant's own systems tell us, over HTTP and in talks, on both databases."""

from typing import Any

from app.simulator import people
from app.store import models
from tests.app.app_server import Server, running_app

PROBLEM = "application/problem+json"
ABOUT_ME = "What do you know about me?"
ACME = {
    "name": "Acme Robotics",
    "domains": ["acme.example", "acme-robots.example"],
    "edition": "enterprise",
    "tier": "gold",
    "region": "EMEA",
    "arr": 96_000.0,
    "renewal_date": "2026-12-31",
    "owner": "maya@lumen.example",
    "locale": "es",
    "time_zone": "Europe/Madrid",
}
LENA = {
    "name": "Lena Vidal",
    "locale": "es",
    "time_zone": "Europe/Madrid",
    "account": "globex",
    "email": "lena@globex.example",
    "phone": "+34910550188",
}


async def remember(server: Server, **body: Any) -> Any:
    async with server.api() as client:
        return await client.post("/memory", json=body)


async def remembered(server: Server, customer: str) -> list[tuple[str, str, str]]:
    async with server.api() as client:
        answer = await client.get(f"/memory/{customer}")
        assert answer.status_code == 200, answer.text
        return [(f["key"], f["val"], f["source"]) for f in answer.json()["facts"]]


# ---------------------------------------------------------------- memory


async def test_facts_are_kept_replaced_and_forgotten(database_url: str) -> None:
    async with running_app(database_url) as server:
        first = await remember(server, cust_id="jordan", key="meetings", val="prefers mornings")
        await remember(server, cust_id="jordan", key="crm", val="uses Salesforce")
        assert first.status_code == 201
        again = await remember(server, cust_id="jordan", key="meetings", val="prefers afternoons")
        assert again.status_code == 201
        assert sorted(await remembered(server, "jordan")) == [
            ("crm", "uses Salesforce", "api"),
            ("meetings", "prefers afternoons", "api"),
        ]
        async with server.api() as client:
            one = await client.delete("/memory/jordan", params={"key": "crm"})
            assert one.json() == {"forgotten": 1}
            assert [k for k, *_ in await remembered(server, "jordan")] == ["meetings"]
            assert (await client.delete("/memory/jordan")).json() == {"forgotten": 1}
            assert (await client.delete("/memory/jordan")).json() == {"forgotten": 0}
        assert await remembered(server, "jordan") == []
        assert await server.rows(models.facts) == []


async def test_an_idempotency_key_repeats_the_answer_and_not_the_fact(database_url: str) -> None:
    async with running_app(database_url) as server, server.api() as client:
        body = {"cust_id": "jordan", "key": "crm", "val": "uses Salesforce"}
        key = {"Idempotency-Key": "k-1"}
        first = await client.post("/memory", json=body, headers=key)
        await client.delete("/memory/jordan")
        again = await client.post("/memory", json=body, headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
        assert await remembered(server, "jordan") == []
        other = await client.post("/memory", json={**body, "val": "uses paper"}, headers=key)
        assert other.status_code == 422


REFUSED_FACTS: list[tuple[Any, int]] = [
    ({"cust_id": "jordan", "key": "health", "val": "has diabetes"}, 422),
    ({"cust_id": "jordan", "key": "note", "val": "goes to church on Sundays"}, 422),
    ({"cust_id": "jordan", "key": "k", "val": "v" * 1_001}, 422),
    ({"cust_id": "jordan", "key": "k" * 81, "val": "v"}, 422),
    ({"cust_id": "jordan", "key": "k", "val": "a\x00b"}, 422),
    ({"cust_id": "jordan", "key": "k", "val": "v" * 33_000}, 413),
    ({"cust_id": "jordan", "key": "k"}, 422),
    ({"cust_id": 7, "key": "k", "val": "v"}, 422),
    ({"cust_id": "", "key": "k", "val": "v"}, 422),
    ({"cust_id": "jordan", "key": "k", "val": "v", "confidence": 2}, 422),
    ({"cust_id": "jordan", "key": "k", "val": "v", "more": 1}, 422),
    ([], 422),
]


async def test_what_may_not_be_kept_is_refused(sqlite_url: str) -> None:
    async with running_app(sqlite_url, worker=False) as server, server.api() as client:
        for body, status in REFUSED_FACTS:
            answer = await client.post("/memory", json=body)
            kind = answer.headers["content-type"].partition(";")[0]
            assert (answer.status_code, kind) == (status, PROBLEM), (str(body)[:80], answer.text)
        assert await server.rows(models.facts) == []


async def test_nobody_unknown_is_remembered_and_no_key_opens_nothing(sqlite_url: str) -> None:
    async with running_app(sqlite_url, worker=False) as server, server.api() as client:
        for method in ("GET", "DELETE"):
            assert (await client.request(method, "/memory/nobody")).status_code == 404
            no_key = {"authorization": ""}
            answer = await client.request(method, "/memory/jordan", headers=no_key)
            assert answer.status_code == 401
        elsewhere = {"x-tenant": "another"}
        assert (await client.get("/memory/jordan", headers=elsewhere)).status_code in (
            401,
            403,
            404,
        )


# ---------------------------------------------------------------- memory in a talk


async def test_the_bot_says_what_it_knows_and_where_from_to_who_proves_it(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        await remember(server, cust_id="jordan", key="meetings", val="prefers mornings")
        await remember(server, cust_id="jordan", key="size", val="has 40 seats", confidence=0.4)
        async with server.tab() as tab:
            await tab.hello(server.simulator.widget_key, server.identity("jordan"))
            told = (await tab.ask(ABOUT_ME))["text"]
            assert "prefers mornings (from api, 4 Mar 2026)" in told
            assert "I believe has 40 seats, though you haven't confirmed it" in told
            kept = (await tab.ask("Remember that I prefer mornings"))["text"]
            assert kept == "Noted: I prefer mornings."
            assert (
                "I prefer mornings (you told me, 4 Mar 2026)" in (await tab.ask(ABOUT_ME))["text"]
            )
            await tab.ask("Forget everything you know about me")
            assert "nothing about you" in (await tab.ask(ABOUT_ME))["text"]
        assert await remembered(server, "jordan") == []


async def test_somebody_who_proves_nothing_is_told_nothing(database_url: str) -> None:
    async with running_app(database_url) as server:
        await remember(server, cust_id="jordan", key="meetings", val="prefers mornings")
        async with server.tab() as tab:
            await tab.hello(server.simulator.widget_key)
            told = (await tab.ask(ABOUT_ME))["text"]
        assert "mornings" not in told
        await server.simulator.mail(people.JORDAN_MAIL, "Hi", ABOUT_ME, authenticated=False)
        (letter,) = await server.simulator.mails.wait(people.JORDAN_MAIL)
        assert "mornings" not in letter.raw.decode()


# ---------------------------------------------------------------- accounts and contacts


async def test_putting_an_account_twice_leaves_one(database_url: str) -> None:
    async with running_app(database_url, worker=False) as server, server.api() as client:
        first = await client.put("/accounts/globex", json=ACME)
        again = await client.put("/accounts/globex", json=ACME)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        owner = (await server.rows(models.csms, name="Maya Okafor"))[0].id
        assert first.json() == {
            **ACME,
            "id": first.json()["id"],
            "external_id": "globex",
            "owner": owner,
        }
        (row,) = await server.rows(models.accounts, external_id="globex")
        assert (row.edition, row.arr, row.owner) == ("enterprise", 96_000.0, owner)

        changed = await client.put("/accounts/globex", json={"tier": "silver", "region": None})
        assert changed.status_code == 200
        assert changed.json() == {**first.json(), "tier": "silver", "region": None}


async def test_an_unknown_edition_counts_as_the_lowest(database_url: str) -> None:
    async with running_app(database_url, worker=False) as server, server.api() as client:
        answer = await client.put("/accounts/globex", json={"name": "G", "edition": "platinum"})
        assert (answer.status_code, answer.json()["edition"]) == (201, "starter")


async def test_putting_a_contact_twice_leaves_one_who_is_known_on_every_channel(
    database_url: str,
) -> None:
    async with running_app(database_url) as server:
        async with server.api() as client:
            await client.put("/accounts/globex", json={"name": "Globex", "domains": []})
            first = await client.put("/contacts/lena", json=LENA)
            again = await client.put("/contacts/lena", json=LENA)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["account"] == "globex"
        assert sorted((i["kind"], i["assurance"]) for i in first.json()["identities"]) == [
            ("email", "proven"),
            ("phone", "proven"),
        ]
        await server.simulator.text(LENA["phone"], "How do I export a board?")
        await server.settled()
        (conversation,) = await server.rows(models.conversations)
        assert conversation.contact_id == first.json()["id"]


async def test_an_address_of_somebody_else_is_a_conflict(database_url: str) -> None:
    async with running_app(database_url, worker=False) as server, server.api() as client:
        before = await server.counts()
        stolen = {"name": "Mallory", "email": people.JORDAN_MAIL}
        answer = await client.put("/contacts/mallory", json=stolen)
        assert answer.status_code == 409
        assert await server.counts() == before


REFUSED_FIELDS: list[tuple[str, Any]] = [
    ("/accounts/globex", {"arr": "a lot"}),
    ("/accounts/globex", {"arr": -1}),
    ("/accounts/globex", {"time_zone": "Mars/Olympus"}),
    ("/accounts/globex", {"renewal_date": "next year"}),
    ("/accounts/globex", {"owner": "nobody@lumen.example"}),
    ("/accounts/globex", {"name": "a\x00b"}),
    ("/accounts/globex", {"unheard_of": 1}),
    ("/contacts/lena", {"phone": "12"}),
    ("/contacts/lena", {"email": "not an address"}),
    ("/contacts/lena", {"time_zone": "here"}),
    ("/contacts/lena", {"account": "nowhere"}),
    ("/contacts/lena", []),
]


async def test_wrong_fields_are_refused_whole(sqlite_url: str) -> None:
    async with running_app(sqlite_url, worker=False) as server, server.api() as client:
        for path, body in REFUSED_FIELDS:
            answer = await client.put(path, json=body)
            assert answer.status_code in (404, 422), (path, body, answer.text)
            assert answer.headers["content-type"].partition(";")[0] == PROBLEM
        assert await server.rows(models.accounts, external_id="globex") == []
        assert await server.rows(models.contacts, external_id="lena") == []
