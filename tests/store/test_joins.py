"""Two contacts, one person: joined on proof, undone whole, and only suggested when nothing is proven."""

from typing import Any

import pytest
from sqlalchemy import select

from app.store.models import audit, contacts, conversations, facts, identities
from core.effects import Identify, Remember
from core.errors import ConflictError, NotFoundError
from core.ids import ContactId
from core.messages import Assurance, IdentityClaim
from core.ports import Accepted
from tests.store.scene import DEMO, OTHER, Scene

MAIL = "jane@acme.example"


async def rows(scene: Scene, table: Any, *where: Any) -> list[Any]:
    async with scene.database.read() as connection:
        return list((await connection.execute(select(table).where(*where))).all())


async def visitor(scene: Scene, claims: str = MAIL, sender: str = "visitor-1") -> Accepted:
    """Let a nameless visitor say an address of theirs and something to remember."""
    accepted = await scene.says("hi", sender)
    stated = IdentityClaim("email", claims, Assurance.CLAIMED)
    await scene.answers(
        accepted, effects=(Identify(stated), Remember("tool", "Slack", "customer:web"))
    )
    return accepted


async def signed_in(scene: Scene, sender: str = "visitor-1") -> Accepted:
    """Let the visitor sign in as Jane, whom the tenant knows."""
    jane = IdentityClaim("external", "jane", Assurance.PROVEN)
    mail = IdentityClaim("email", MAIL, Assurance.PROVEN)
    return await scene.says("me again", sender, assurance=Assurance.PROVEN, claims=(jane, mail))


async def test_only_a_claim_joins_nothing_and_is_a_suggestion(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL, "name": "Jane"})
    accepted = await visitor(scene)
    _joined, (found,) = await scene.directory.ties(DEMO, accepted.contact_id)
    assert (found["contact_id"], found["name"], found["kind"]) == (jane.id, "Jane", "email")
    _joined, (back,) = await scene.directory.ties(DEMO, jane.id)
    assert back["contact_id"] == accepted.contact_id
    assert not await rows(scene, audit, audit.c.action == "contact.joined")


@pytest.mark.parametrize("address", ["info@acme.example", "support@acme.example"])
async def test_a_shared_mailbox_suggests_nobody(scene: Scene, address: str) -> None:
    await scene.directory.put_contact(DEMO, "jane", {"email": address})
    accepted = await visitor(scene, address)
    assert await scene.directory.ties(DEMO, accepted.contact_id) == ([], [])


async def test_a_persons_word_joins_and_undo_gives_all_back(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL})
    accepted = await visitor(scene)
    remains = await scene.directory.decide_match(
        DEMO, accepted.contact_id, jane.id, "csm_maya", same=True
    )
    assert remains == jane.id
    (talk,) = await rows(scene, conversations)
    (fact,) = await rows(scene, facts)
    assert {talk.contact_id, fact.contact_id} == {jane.id}
    (joined,), suggested = await scene.directory.ties(DEMO, jane.id)
    assert (joined["by"], suggested) == ("csm_maya", [])

    apart = await scene.directory.undo_join(DEMO, str(joined["id"]), "csm_maya")
    assert apart == accepted.contact_id
    (talk,) = await rows(scene, conversations)
    (fact,) = await rows(scene, facts)
    assert {talk.contact_id, fact.contact_id} == {accepted.contact_id}
    web = await rows(scene, identities, identities.c.kind == "web")
    assert [i.contact_id for i in web] == [accepted.contact_id]
    (source,) = await rows(scene, contacts, contacts.c.id == accepted.contact_id)
    assert source.joined_to is None
    assert await scene.directory.ties(DEMO, jane.id) != ([], [])
    with pytest.raises(ConflictError):
        await scene.directory.undo_join(DEMO, str(joined["id"]), "csm_maya")


async def test_a_rejected_match_stays_away_on_both_sides(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL})
    accepted = await visitor(scene)
    await scene.directory.decide_match(DEMO, jane.id, accepted.contact_id, "csm_maya", same=False)
    for contact in (jane.id, accepted.contact_id):
        assert await scene.directory.ties(DEMO, contact) == ([], [])


async def test_nobody_is_joined_who_was_not_suggested(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": "other@acme.example"})
    accepted = await visitor(scene)
    for tenant, contact in ((DEMO, accepted.contact_id), (OTHER, accepted.contact_id)):
        with pytest.raises(NotFoundError):
            await scene.directory.decide_match(tenant, contact, jane.id, "csm_maya", same=True)


async def test_contacts_known_by_name_are_never_one(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL})
    accepted = await visitor(scene)
    async with scene.database.write() as connection:
        await connection.execute(
            contacts.update().where(contacts.c.id == accepted.contact_id).values(external_id="joe")
        )
    assert await scene.directory.ties(DEMO, jane.id) == ([], [])


async def test_what_both_have_stays_with_each(scene: Scene) -> None:
    """A note of the same name and an address both named: neither may break the join."""
    jane = await scene.directory.put_contact(DEMO, "jane", {})
    await scene.facts.put(DEMO, jane.id, "tool", "Teams", "csm:maya")
    accepted = await visitor(scene)
    signed = await signed_in(scene)
    assert signed.contact_id == jane.id
    assert {f.value for f in await scene.facts.all(DEMO, jane.id)} == {"Teams"}
    leads = await rows(scene, identities, identities.c.value == MAIL, identities.c.routes.is_(True))
    assert [i.contact_id for i in leads] == [jane.id]
    (joined,), _ = await scene.directory.ties(DEMO, jane.id)
    await scene.directory.undo_join(DEMO, str(joined["id"]), "api")
    assert {f.value for f in await scene.facts.all(DEMO, accepted.contact_id)} == {"Slack"}


async def test_the_address_leads_to_who_proved_it_even_when_both_had_it(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {})
    first = await scene.says("hi", MAIL, "web")
    async with scene.database.write() as connection:
        await connection.execute(identities.update().values(kind="email"))
    accepted = await scene.says("hi", "visitor-2")
    stated = IdentityClaim("email", MAIL, Assurance.CLAIMED)
    await scene.answers(accepted, effects=(Identify(stated),))
    await signed_in(scene, "visitor-2")
    leads = await rows(scene, identities, identities.c.value == MAIL, identities.c.routes.is_(True))
    assert [i.contact_id for i in leads] == [jane.id]
    assert first.contact_id in {str(a.detail["from"]) for a in await _joins(scene)}


async def _joins(scene: Scene) -> list[Any]:
    return await rows(scene, audit, audit.c.action == "contact.joined")


async def test_a_turn_that_thinks_for_the_old_contact_does_not_commit(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL})
    accepted = await visitor(scene)
    again = await scene.says("what do you know about me?")
    claim = await scene.turns.claim(again.conversation_id)
    assert claim is not None
    await scene.directory.decide_match(
        DEMO, ContactId(accepted.contact_id), jane.id, "csm_maya", same=True
    )
    assert not await scene.turns.current(claim)


async def test_a_tenant_undoes_its_own_joins_alone(scene: Scene) -> None:
    jane = await scene.directory.put_contact(DEMO, "jane", {"email": MAIL})
    accepted = await visitor(scene)
    await scene.directory.decide_match(DEMO, accepted.contact_id, jane.id, "csm_maya", same=True)
    (joined,), _ = await scene.directory.ties(DEMO, jane.id)
    with pytest.raises(NotFoundError):
        await scene.directory.undo_join(OTHER, str(joined["id"]), "api")
