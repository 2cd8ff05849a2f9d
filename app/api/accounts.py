"""PUT /accounts and PUT /contacts: what the tenant's own systems know of their customers."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, Word
from core.conversations import Account, Contact
from guardrails._shared.naming import neutral_name

router = APIRouter(tags=["accounts"])
ExternalId = Annotated[Word, Path(description="The id in the tenant's own system.")]


class AccountIn(Body):
    """The fields to change; null clears one. An unknown edition counts as the lowest."""

    model_config = ConfigDict(strict=True)

    name: Word | None = None
    domains: list[Word] | None = Field(default=None, max_length=50)
    edition: Word | None = None
    tier: Word | None = None
    region: Word | None = None
    arr: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    renewal_date: Word | None = Field(default=None, description="A date, as in 2026-12-31.")
    owner: Word | None = Field(default=None, description="A CSM's mail address or id.")
    locale: Word | None = None
    time_zone: Word | None = Field(default=None, description="An IANA name: Europe/Madrid.")


class AccountOut(BaseModel):
    """An account as it stands."""

    id: str
    external_id: str
    name: str
    domains: list[str]
    edition: str
    tier: str
    region: str | None
    arr: float | None
    renewal_date: str | None
    owner: str | None
    locale: str | None
    time_zone: str | None

    @classmethod
    def of(cls, account: Account) -> "AccountOut":
        """Return the public shape."""
        return cls(
            id=account.id,
            external_id=account.external_id,
            name=account.name,
            domains=list(account.domains),
            edition=account.edition,
            tier=account.tier,
            region=account.region,
            arr=account.arr,
            renewal_date=account.renewal_date,
            owner=account.owner,
            locale=account.locale,
            time_zone=account.time_zone,
        )


class ContactIn(Body):
    """The fields to change; null clears one. Addresses are taken as proven and are only ever added."""

    model_config = ConfigDict(strict=True)

    name: Word | None = None
    locale: Word | None = None
    time_zone: Word | None = Field(default=None, description="An IANA name: Europe/Madrid.")
    account: Word | None = Field(default=None, description="The account's external id.")
    email: Word | None = None
    phone: Word | None = Field(default=None, description="With country code: +34600111222.")


class IdentityOut(BaseModel):
    """An address and how sure we are of it."""

    kind: str
    value: str
    assurance: str


class ContactOut(BaseModel):
    """A contact as they stand."""

    id: str
    external_id: str | None
    name: str | None
    locale: str | None
    time_zone: str | None
    account: str | None
    identities: list[IdentityOut]

    @classmethod
    def of(cls, contact: Contact) -> "ContactOut":
        """Return the public shape."""
        return cls(
            id=contact.id,
            external_id=contact.external_id,
            name=contact.name,
            locale=contact.locale,
            time_zone=contact.time_zone,
            account=contact.account.external_id if contact.account else None,
            identities=[
                IdentityOut(kind=i.kind, value=i.value, assurance=i.assurance)
                for i in contact.identities
            ],
        )


@router.put("/accounts/{external_id}", responses={201: {"model": AccountOut}})
async def put_account(
    external_id: ExternalId, body: AccountIn, services: Uses, who: Secret, response: Response
) -> AccountOut:
    """Make an account (201) or change the fields given (200)."""
    known = await services.directory.account_by_external(who.tenant, external_id)
    given = body.model_dump(exclude_unset=True)
    account = await services.directory.put_account(who.tenant, external_id, given)
    response.status_code = 200 if known else 201
    return AccountOut.of(account)


@router.put("/contacts/{external_id}", responses={201: {"model": ContactOut}})
async def put_contact(
    external_id: ExternalId, body: ContactIn, services: Uses, who: Secret, response: Response
) -> ContactOut:
    """Make a contact (201) or change the fields given (200). 409 when another one has an address."""
    known = await services.directory.contact_by_external(who.tenant, external_id)
    given = body.model_dump(exclude_unset=True)
    # people choose their own names there too, and models and colleagues read them here
    given |= {"name": neutral_name(given["name"])} if given.get("name") else {}
    contact = await services.directory.put_contact(who.tenant, external_id, given)
    response.status_code = 200 if known else 201
    return ContactOut.of(contact)
