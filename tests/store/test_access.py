import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app.store.access import SqlAccess
from app.store.models import api_keys, csms, sessions
from core.conversations import Csm
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import CsmId, TenantId
from tests.store.scene import DEMO, OTHER, Scene

PASSWORD = "correct horse battery"


async def maya(scene: Scene) -> Csm:
    return await scene.access.create_csm(
        DEMO, " Maya ", "Maya@Lumen.example", PASSWORD, "admin", "U1"
    )


# ------------------------------------------------------------ API keys


async def test_a_key_speaks_for_its_tenant_until_revoked(scene: Scene) -> None:
    secret, token = await scene.access.create_key(DEMO, "server", "secret")
    _, widget = await scene.access.create_key(OTHER, "page", "widget")
    assert await scene.access.verify(token) == (DEMO, "secret")
    assert await scene.access.verify(widget) == (OTHER, "widget")
    assert await scene.access.keys(DEMO) == [secret]
    assert not await scene.access.revoke(OTHER, secret.id)
    assert await scene.access.verify(token) == (DEMO, "secret")
    assert await scene.access.revoke(DEMO, secret.id)
    assert not await scene.access.revoke(DEMO, secret.id)
    assert await scene.access.verify(token) is None
    assert await scene.access.keys(DEMO) == [replace(secret, revoked_at=scene.clock.now())]


@pytest.mark.parametrize("token", ["", "usk_unknown", "\x00", "\ud800"])
async def test_other_tokens_open_nothing(scene: Scene, token: str) -> None:
    assert await scene.access.verify(token) is None
    assert await scene.access.session(token) is None


async def test_no_secret_is_kept(scene: Scene) -> None:
    person = await maya(scene)
    _, key = await scene.access.create_key(DEMO, "server", "secret")
    logged_in = await scene.access.login(DEMO, person.email, PASSWORD)
    assert logged_in is not None
    found = []
    async with scene.database.read() as connection:
        for table in (api_keys, csms, sessions):
            found += [repr(tuple(row)) for row in await connection.execute(select(table))]
    kept = "\n".join(found)
    assert len(found) == 3
    assert not [secret for secret in (key, PASSWORD, logged_in[1]) if secret in kept]


async def test_a_key_needs_a_tenant(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        await scene.access.create_key(TenantId("nobody"), "server", "secret")


# ------------------------------------------------------------ people


async def test_people_are_found_by_slack_and_listed(scene: Scene) -> None:
    person = await maya(scene)
    noah = await scene.access.create_csm(DEMO, "Noah", "noah@lumen.example", PASSWORD)
    assert (person.name, person.email, person.role) == ("Maya", "maya@lumen.example", "admin")
    assert await scene.access.by_slack(DEMO, "U1") == person
    assert await scene.access.by_slack(OTHER, "U1") is None
    assert await scene.access.by_slack(DEMO, "U2") is None
    assert await scene.access.csms(DEMO) == [person, noah]
    assert await scene.access.csms(OTHER) == []
    changed = await scene.access.update_csm(
        DEMO, noah.id, name="Noah B", role="viewer", slack_user="U2"
    )
    assert changed == replace(noah, name="Noah B", role="viewer", slack_user="U2")
    cleared = await scene.access.update_csm(DEMO, noah.id, slack_user="")
    assert cleared.slack_user is None
    await scene.access.update_csm(DEMO, person.id, active=False)
    assert await scene.access.by_slack(DEMO, "U1") is None
    assert await scene.access.csms(DEMO) == [cleared]


async def test_a_mail_is_one_person_per_tenant(scene: Scene) -> None:
    await maya(scene)
    with pytest.raises(ConflictError):
        await maya(scene)
    await scene.access.create_csm(OTHER, "Maya", "maya@lumen.example", PASSWORD)
    assert len(await scene.access.csms(DEMO)) == 1


@pytest.mark.parametrize(
    ("name", "email", "password"),
    [
        ("", "maya@lumen.example", PASSWORD),
        ("Maya", "not a mail", PASSWORD),
        ("Maya", "", PASSWORD),
        ("Maya", "maya@lumen.example", "short"),
        ("Maya", "maya@lumen.example", "x" * 201),
    ],
)
async def test_people_need_a_name_a_mail_and_a_password(
    scene: Scene, name: str, email: str, password: str
) -> None:
    with pytest.raises(BadInputError):
        await scene.access.create_csm(DEMO, name, email, password)
    assert await scene.access.csms(DEMO) == []


async def test_changing_somebody_elses_person_is_refused(scene: Scene) -> None:
    person = await maya(scene)
    with pytest.raises(NotFoundError):
        await scene.access.update_csm(OTHER, person.id, name="Eve")
    with pytest.raises(NotFoundError):
        await scene.access.update_csm(DEMO, CsmId("csm_unknown"), name="Eve")
    assert await scene.access.csms(DEMO) == [person]


# ------------------------------------------------------------ sessions


async def test_a_session_lasts_twelve_hours(scene: Scene) -> None:
    person = await maya(scene)
    found = await scene.access.login(DEMO, " MAYA@lumen.example ", PASSWORD)
    assert found is not None
    who, token = found
    assert who == person
    scene.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert await scene.access.session(token) == (DEMO, person)
    scene.clock.advance(timedelta(seconds=1))
    assert await scene.access.session(token) is None


async def test_leaving_ends_one_session(scene: Scene) -> None:
    person = await maya(scene)
    first = await scene.access.login(DEMO, person.email, PASSWORD)
    second = await scene.access.login(DEMO, person.email, PASSWORD)
    assert first is not None
    assert second is not None
    await scene.access.logout(first[1])
    assert await scene.access.session(first[1]) is None
    assert await scene.access.session(second[1]) == (DEMO, person)


@pytest.mark.parametrize("change", [{"password": "another long one"}, {"active": False}])
async def test_a_new_password_or_leaving_the_team_ends_every_session(
    scene: Scene, change: dict[str, object]
) -> None:
    person = await maya(scene)
    found = await scene.access.login(DEMO, person.email, PASSWORD)
    assert found is not None
    await scene.access.update_csm(DEMO, person.id, **change)  # type: ignore[arg-type]
    assert await scene.access.session(found[1]) is None
    assert await scene.access.login(DEMO, person.email, PASSWORD) is None


@pytest.mark.parametrize(
    ("tenant", "email", "password"),
    [
        (DEMO, "maya@lumen.example", "wrong password"),
        (DEMO, "maya@lumen.example", ""),
        (DEMO, "maya@lumen.example", "x" * 100_000),
        (DEMO, "nobody@lumen.example", PASSWORD),
        (OTHER, "maya@lumen.example", PASSWORD),
        (TenantId("nobody"), "maya@lumen.example", PASSWORD),
    ],
)
async def test_a_wrong_login_costs_a_hash_and_gives_nothing(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    tenant: TenantId,
    email: str,
    password: str,
) -> None:
    await maya(scene)
    checked: list[str] = []

    class Watching(PasswordHasher):
        def verify(self, hashed: str | bytes, password: str | bytes) -> Literal[True]:
            checked.append(str(hashed))
            return super().verify(hashed, password)

    access = SqlAccess(
        scene.database, scene.clock, Watching(time_cost=1, memory_cost=8, parallelism=1)
    )
    assert await access.login(tenant, email, password) is None
    assert len(checked) == 1


async def test_a_weaker_hash_is_replaced_at_login(scene: Scene) -> None:
    person = await maya(scene)
    stronger = SqlAccess(
        scene.database, scene.clock, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    )
    assert await stronger.login(DEMO, person.email, PASSWORD) is not None
    async with scene.database.read() as connection:
        hashed = await connection.scalar(select(csms.c.password_hash))
    assert "m=16,t=2" in str(hashed)
    assert await stronger.login(DEMO, person.email, PASSWORD) is not None


async def test_many_logins_at_once(scene: Scene) -> None:
    person = await maya(scene)
    found = await asyncio.gather(
        *(scene.access.login(DEMO, person.email, PASSWORD) for _ in range(6))
    )
    assert len({pair[1] for pair in found if pair}) == 6


# ------------------------------------------------------------ audit


async def test_the_log_is_read_newest_first_in_pages(scene: Scene) -> None:
    for n in range(5):
        scene.clock.advance(timedelta(seconds=1))
        await scene.access.audit(DEMO, "csm_maya", f"did.{n}", f"thing-{n % 2}", {"n": n})
    await scene.access.audit(OTHER, "csm_eve", "did.9")
    first = await scene.access.audit_log(DEMO, limit=3)
    rest = await scene.access.audit_log(DEMO, first.cursor, 3)
    assert [e.action for e in first.items] == ["did.4", "did.3", "did.2"]
    assert [e.action for e in rest.items] == ["did.1", "did.0"]
    assert rest.cursor is None
    assert first.items[0].detail == {"n": 4}
    assert first.items[0].at == scene.clock.now()
    of_one = await scene.access.audit_log(DEMO, subject="thing-1")
    assert [e.action for e in of_one.items] == ["did.3", "did.1"]
