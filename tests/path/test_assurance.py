"""What a turn is given depends on how sure we are who writes: account, and what was said on another channel."""

import pytest
from sqlalchemy import insert, update

from app.store.models import accounts, contacts, messages
from core.contracts import Context, HandlerSpec
from core.messages import Assurance
from core.outcomes import Outcome, Turn
from tests.path.harness import TENANT, Path, hand_over, path


async def tell(turn: Turn, context: Context) -> Outcome:
    """Tell all that the turn was given of who writes."""
    account = turn.contact.account
    heard = [said.text for said in turn.talk if said.role == "customer"]
    return Outcome(f"{account.edition if account else None} {heard} {turn.assurance}")


TELLING = {
    "answer": HandlerSpec("answer", tell),
    "escalate": HandlerSpec("escalate", hand_over),
}


async def known(usher: Path) -> None:
    """Let ann say something elsewhere, and link her to an account."""
    await usher.say("first", "a secret said elsewhere")
    await usher.settle()
    now = usher.clock.now()
    async with usher.database.write() as connection:
        await connection.execute(
            insert(accounts).values(
                id="acc_1",
                tenant=TENANT,
                external_id="acme",
                name="Acme",
                domains=[],
                edition="enterprise",
                tier="gold",
                created_at=now,
                updated_at=now,
            )
        )
        await connection.execute(update(contacts).values(account_id="acc_1"))
        await connection.execute(update(messages).values(channel="email", address="ann@a.example"))


@pytest.mark.parametrize(
    ("assurance", "told"),
    [
        (Assurance.PROVEN, "enterprise ['a secret said elsewhere'] proven"),
        (Assurance.CHANNEL, "None [] channel"),
    ],
)
async def test_only_the_proven_have_an_account_and_a_past_elsewhere(
    database_url: str, assurance: Assurance, told: str
) -> None:
    async with path(database_url, handlers=TELLING) as usher:
        await known(usher)
        await usher.say("second", "hello", assurance=assurance)
        await usher.settle()
        assert usher.provider.texts()[-1] == told
