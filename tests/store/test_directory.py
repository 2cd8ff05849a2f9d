import asyncio
from dataclasses import replace

import pytest

from app.store.directory import SqlDirectory
from core.conversations import Mode
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import AccountId, ContactId, CsmId, TenantId
from core.messages import Assurance, IdentityClaim
from core.ports import TenantPolicy
from core.settings import Section
from tests.store.scene import DEMO, OTHER, Scene


async def test_a_tenant_is_made_once_with_a_secret_of_its_own(scene: Scene) -> None:
    policy = TenantPolicy(brand="Acme", mode=Mode.DRAFT, paused_channels=frozenset({"sms"}))
    made = await asyncio.gather(
        *(scene.directory.ensure_tenant(TenantId("acme"), "Acme", policy) for _ in range(4))
    )
    assert sorted(made) == [False, False, False, True]
    assert await scene.directory.policy(TenantId("acme")) == policy
    assert [t.id for t in await scene.directory.tenants()] == ["acme", "demo", "other"]
    secrets = {await scene.directory.widget_secret(t) for t in (DEMO, OTHER, TenantId("acme"))}
    assert len(secrets) == 3
    assert min(map(len, secrets)) >= 32


async def test_a_policy_is_replaced_whole(scene: Scene) -> None:
    policy = TenantPolicy(
        by_intent={"cancel": Mode.DRAFT},
        paused=True,
        editions=("free", "team"),
        lines={"en": {"answer.none": "No idea."}},
        thresholds={"anger": 0.4},
    )
    await scene.directory.set_policy(DEMO, policy)
    assert await scene.directory.policy(DEMO) == policy
    assert await scene.directory.policy(OTHER) == TenantPolicy()


async def test_an_unknown_tenant_is_said_to_be_unknown(scene: Scene) -> None:
    nobody = TenantId("nobody")
    with pytest.raises(NotFoundError):
        await scene.directory.policy(nobody)
    with pytest.raises(NotFoundError):
        await scene.directory.set_policy(nobody, TenantPolicy())
    with pytest.raises(NotFoundError):
        await scene.directory.widget_secret(nobody)
    with pytest.raises(NotFoundError):
        await scene.directory.ensure_inbox(nobody, "web", "x", "customer", "")
    with pytest.raises(NotFoundError):
        await scene.directory.put_account(nobody, "a-1", {})
    with pytest.raises(NotFoundError):
        await scene.directory.put_contact(nobody, "c-1", {})


async def test_an_inbox_is_made_once_and_brought_up_to_date(scene: Scene) -> None:
    ensure = scene.directory.ensure_inbox
    made = await asyncio.gather(
        *(ensure(DEMO, "slack", "T1:C1", "customer", "SLACK_") for _ in range(4))
    )
    assert len({inbox.id for inbox in made}) == 1
    changed = await ensure(DEMO, "slack", "T1:C1", "team", "SLACK_TEAM_")
    assert (changed.id, changed.kind, changed.env_prefix) == (made[0].id, "team", "SLACK_TEAM_")
    assert await scene.directory.inbox("slack", "T1:C1") == changed
    assert await scene.directory.inbox_by_id(changed.id) == changed
    assert await scene.directory.inbox("sms", "T1:C1") is None
    with pytest.raises(ConflictError):
        await ensure(OTHER, "slack", "T1:C1", "customer", "")
    assert {i.channel for i in await scene.directory.inboxes(DEMO)} == {"web", "sms", "slack"}
    assert len(await scene.directory.inboxes()) == 5


async def test_inboxes_come_with_the_settings_they_are_given(scene: Scene) -> None:
    settings = Section()
    directory = SqlDirectory(
        scene.database, scene.clock, complete=lambda inbox: replace(inbox, settings=settings)
    )
    inbox = await directory.inbox("web", "demo-web")
    assert inbox is not None
    assert inbox.settings is settings


# ------------------------------------------------------------ accounts


async def test_an_account_is_made_and_changed_field_by_field(scene: Scene) -> None:
    put = scene.directory.put_account
    made = await put(
        DEMO,
        "a-1",
        {
            "name": " Acme   GmbH ",
            "domains": ["ACME.example", "@acme.test", "acme.example"],
            "edition": "PRO",
            "tier": "gold",
            "region": "EMEA",
            "arr": 120_000,
            "renewal_date": "2026-12-31",
            "locale": "de_DE",
            "time_zone": "Europe/Berlin",
        },
    )
    assert (made.name, made.domains) == ("Acme GmbH", ("acme.example", "acme.test"))
    assert (made.edition, made.tier, made.arr) == ("pro", "gold", 120_000.0)
    assert (made.renewal_date, made.locale) == ("2026-12-31", "de-DE")
    changed = await put(DEMO, "a-1", {"arr": None, "region": "US"})
    assert changed == replace(made, arr=None, region="US")
    assert await put(DEMO, "a-1", {"region": "US"}) == changed
    assert await scene.directory.account(DEMO, made.id) == changed
    assert await scene.directory.account_by_external(DEMO, "a-1") == changed
    assert await scene.directory.account(OTHER, made.id) is None
    assert await scene.directory.account(DEMO, AccountId("acc_unknown")) is None


async def test_an_account_needs_nothing_but_its_id(scene: Scene) -> None:
    made = await scene.directory.put_account(DEMO, "a-1", {})
    assert (made.name, made.edition, made.tier, made.domains) == ("a-1", "starter", "standard", ())
    cleared = await scene.directory.put_account(
        DEMO, "a-1", {"name": None, "tier": None, "domains": None, "edition": None}
    )
    assert cleared == made


@pytest.mark.parametrize("edition", ["platinum", "", None])
async def test_an_unknown_edition_counts_as_the_lowest(scene: Scene, edition: str | None) -> None:
    await scene.directory.set_policy(DEMO, TenantPolicy(editions=("free", "team")))
    await scene.directory.put_account(DEMO, "a-1", {"edition": "Team"})
    made = await scene.directory.put_account(DEMO, "a-1", {"edition": edition})
    assert made.edition == "free"


async def test_an_owner_is_named_by_mail_or_id(scene: Scene) -> None:
    maya = await scene.access.create_csm(DEMO, "Maya", "maya@lumen.example", "long enough pw")
    by_mail = await scene.directory.put_account(DEMO, "a-1", {"owner": "Maya@Lumen.example"})
    by_id = await scene.directory.put_account(DEMO, "a-2", {"owner": maya.id})
    assert (by_mail.owner, by_id.owner) == (maya.id, maya.id)
    assert await scene.directory.csm(DEMO, maya.id) == maya
    assert await scene.directory.csm(OTHER, maya.id) is None
    assert await scene.directory.csm(DEMO, CsmId("csm_unknown")) is None
    with pytest.raises(BadInputError, match="owner"):
        await scene.directory.put_account(OTHER, "a-1", {"owner": maya.id})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("arr", -1),
        ("arr", float("nan")),
        ("arr", float("inf")),
        ("arr", "12"),
        ("arr", True),
        ("renewal_date", "31.12.2026"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "/etc/passwd"),
        ("time_zone", "../../etc/passwd"),
        ("locale", "english please"),
        ("domains", "acme.example"),
        ("domains", ["acme"]),
        ("domains", ["gmail.com"]),
        ("domains", [7]),
        ("name", "x" * 201),
        ("name", "nul\x00"),
        ("name", "\ud800"),
        ("name", 7),
        ("colour", "red"),
    ],
)
async def test_bad_values_name_their_field(scene: Scene, field: str, value: object) -> None:
    with pytest.raises(BadInputError, match=field):
        await scene.directory.put_account(DEMO, "a-1", {field: value})
    assert await scene.directory.account_by_external(DEMO, "a-1") is None


@pytest.mark.parametrize("external_id", ["", "  ", "x" * 201, "a\x00b"])
async def test_an_external_id_has_limits(scene: Scene, external_id: str) -> None:
    with pytest.raises(BadInputError):
        await scene.directory.put_account(DEMO, external_id, {})
    with pytest.raises(BadInputError):
        await scene.directory.put_contact(DEMO, external_id, {})


async def test_accounts_come_in_pages(scene: Scene) -> None:
    for n in range(5):
        await scene.directory.put_account(DEMO, f"a-{n}", {})
    await scene.directory.put_account(OTHER, "a-9", {})
    seen: list[str] = []
    page = await scene.directory.accounts(DEMO, limit=2)
    seen += [a.external_id for a in page.items]
    while page.cursor:
        page = await scene.directory.accounts(DEMO, page.cursor, 2)
        seen += [a.external_id for a in page.items]
    assert sorted(seen) == [f"a-{n}" for n in range(5)]
    assert len(page.items) == 1


async def test_the_same_new_account_at_once_is_one(scene: Scene) -> None:
    made = await asyncio.gather(
        *(scene.directory.put_account(DEMO, "a-1", {"arr": n}) for n in range(6))
    )
    assert len({a.id for a in made}) == 1


# ------------------------------------------------------------ contacts


async def test_a_contact_has_proven_addresses_and_an_account(scene: Scene) -> None:
    await scene.directory.put_account(DEMO, "a-1", {"name": "Acme"})
    ann = await scene.directory.put_contact(
        DEMO,
        "c-1",
        {
            "name": "Ann",
            "locale": "en",
            "time_zone": "America/New_York",
            "account": "a-1",
            "email": "Ann@Acme.example",
            "phone": "+1 (415) 555-0132",
        },
    )
    assert (ann.name, ann.external_id, ann.time_zone) == ("Ann", "c-1", "America/New_York")
    assert ann.account is not None
    assert ann.account.name == "Acme"
    assert ann.address("email", Assurance.PROVEN) == "ann@acme.example"
    assert ann.address("phone", Assurance.PROVEN) == "+14155550132"
    again = await scene.directory.put_contact(DEMO, "c-1", {"email": "ann@acme.example"})
    assert again == ann
    assert await scene.directory.contact(DEMO, ann.id) == ann
    assert await scene.directory.contact(OTHER, ann.id) is None
    cleared = await scene.directory.put_contact(DEMO, "c-1", {"name": None, "account": None})
    assert (cleared.name, cleared.account) == (None, None)


async def test_a_mail_domain_finds_the_account(scene: Scene) -> None:
    await scene.directory.put_account(DEMO, "a-1", {"domains": ["acme.example"]})
    ann = await scene.directory.put_contact(DEMO, "c-1", {"email": "ann@acme.example"})
    assert ann.account is not None
    assert ann.account.external_id == "a-1"


async def test_a_proven_number_joins_the_nameless_contact_who_wrote_from_it(
    scene: Scene,
) -> None:
    texted = await scene.says("hi", "+14155550132", "sms")
    ann = await scene.directory.put_contact(DEMO, "c-1", {"phone": "+14155550132"})
    assert ann.id != texted.contact_id
    conversation = await scene.reads.conversation(DEMO, texted.conversation_id)
    assert conversation is not None
    assert conversation.contact_id == ann.id
    assert (await scene.says("me again", "+14155550132", "sms")).contact_id == ann.id


async def test_an_address_of_another_known_contact_is_refused_whole(scene: Scene) -> None:
    ann = await scene.directory.put_contact(DEMO, "c-1", {"email": "team@acme.example"})
    with pytest.raises(ConflictError):
        await scene.directory.put_contact(DEMO, "c-2", {"name": "Bo", "email": "team@acme.example"})
    assert await scene.directory.contact_by_external(DEMO, "c-2") is None
    elsewhere = await scene.directory.put_contact(OTHER, "c-1", {"email": "team@acme.example"})
    assert elsewhere.id != ann.id


async def test_a_claimed_address_never_stands_in_the_way(scene: Scene) -> None:
    accepted = await scene.says(
        "I am ann@acme.example",
        claims=(IdentityClaim("email", "ann@acme.example", Assurance.CLAIMED),),
    )
    ann = await scene.directory.put_contact(DEMO, "c-1", {"email": "ann@acme.example"})
    assert ann.id != accepted.contact_id
    assert ann.address("email", Assurance.PROVEN) == "ann@acme.example"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not a mail"),
        ("email", "a@b@c.example"),
        ("email", "ann@localhost"),
        ("phone", "12345"),
        ("phone", "+1"),
        ("phone", "call me"),
        ("account", "a-unknown"),
        ("time_zone", "Nowhere"),
        ("colour", "red"),
    ],
)
async def test_bad_contact_values_change_nothing(scene: Scene, field: str, value: str) -> None:
    with pytest.raises(BadInputError, match=field):
        await scene.directory.put_contact(DEMO, "c-1", {"name": "Ann", field: value})
    assert await scene.directory.contact_by_external(DEMO, "c-1") is None


async def test_a_contact_is_made_on_first_use(scene: Scene) -> None:
    find = scene.directory.contact_by_external
    assert await find(DEMO, "c-1") is None
    made = await asyncio.gather(*(find(DEMO, "c-1", create=True) for _ in range(6)))
    assert len({c.id for c in made}) == 1
    assert await find(DEMO, "c-1") == made[0]
    assert await find(OTHER, "c-1") is None
    assert await scene.directory.contact(DEMO, ContactId("con_unknown")) is None
