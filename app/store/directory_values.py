"""What may be written about accounts and contacts: checks and plain forms, whoever brings the values.

Pure. Every mistake is a BadInputError that names the field.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import phonenumbers

from core.errors import BadInputError
from core.zones import is_zone

MAX_EXTERNAL_ID = 200
MAX_DOMAINS = 50
MAX_ARR = 1e12
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_LOCALE = re.compile(r"([a-zA-Z]{2,3})(?:[-_][a-zA-Z0-9]{2,8})*")
_MAIL = re.compile(r"[^\s@<>,;\"\x00]{1,64}@([^\s@]+)")
# Mail services whose domain says nothing about a company.
_PUBLIC = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com me.com aol.com "
    "gmx.com gmx.net gmx.de proton.me protonmail.com mail.com zoho.com yandex.com qq.com 163.com"
)
_PUBLIC_MAIL = frozenset(_PUBLIC.split())


def is_public_mail(domain: str) -> bool:
    """Return whether a mail domain is anybody's and says nothing about a company."""
    return domain.lower() in _PUBLIC_MAIL


def external_id(value: object) -> str:
    """Return an id of the tenant's own system: 1 to 200 characters, none of them a control."""
    plain = _line(value, "external_id", MAX_EXTERNAL_ID)
    if plain is None:
        raise BadInputError("external_id is empty")
    return plain


def account_values(values: Mapping[str, object], editions: Sequence[str]) -> dict[str, Any]:
    """Return checked column values; an edition the tenant does not have counts as its lowest.

    `owner` stays as given (a CSM's id or mail) for the directory to look up.
    """
    _only(values, _ACCOUNT, "an account")
    checked = {key: _ACCOUNT[key](value, key) for key, value in values.items()}
    if "edition" in checked:
        known = {edition.casefold(): edition for edition in editions}
        lowest = editions[0] if editions else "starter"
        checked["edition"] = known.get((checked["edition"] or "").casefold(), lowest)
    for key, default in (("tier", "standard"), ("domains", [])):
        if key in checked and checked[key] is None:
            checked[key] = default
    return checked


def contact_values(values: Mapping[str, object]) -> dict[str, Any]:
    """Return checked values: name, locale, time_zone, account (external id), email, phone (E.164)."""
    _only(values, _CONTACT, "a contact")
    return {key: _CONTACT[key](value, key) for key, value in values.items()}


def email(value: object, field: str = "email") -> str | None:
    """Return a mail address in lower case."""
    plain = _line(value, field, 254)
    if plain is None:
        return None
    found = _MAIL.fullmatch(plain.lower())
    if found is None or not _DOMAIN.fullmatch(found[1]):
        raise BadInputError(f"{field} is not a mail address")
    return plain.lower()


def _only(values: Mapping[str, object], known: Mapping[str, object], what: str) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise BadInputError(f"{what} has no {unknown[0]!r}")


def _line(value: object, field: str, limit: int = 200) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadInputError(f"{field} is not text")
    plain = " ".join(value.split())
    if len(plain) > limit:
        raise BadInputError(f"{field} has more than {limit} characters")
    if any(not mark.isprintable() for mark in plain):
        raise BadInputError(f"{field} holds characters that cannot be stored")
    return plain or None


def _domains(value: object, field: str) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > MAX_DOMAINS:
        raise BadInputError(f"{field} is not a list of at most {MAX_DOMAINS}")
    found = [(_line(item, field) or "").lower().removeprefix("@").rstrip(".") for item in value]
    for domain in found:
        if not _DOMAIN.fullmatch(domain):
            raise BadInputError(f"{field}: {domain!r} is not a domain")
        if domain in _PUBLIC_MAIL:
            raise BadInputError(f"{field}: {domain!r} belongs to everybody")
    return list(dict.fromkeys(found))


def _arr(value: object, field: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInputError(f"{field} is not a number")
    if not 0 <= value <= MAX_ARR:  # also what is not a number at all
        raise BadInputError(f"{field} is not between 0 and {MAX_ARR:.0f}")
    return float(value)


def _day(value: object, field: str) -> str | None:
    plain = _line(value, field)
    if plain is None:
        return None
    try:
        return date.fromisoformat(plain).isoformat()
    except ValueError as error:
        raise BadInputError(f"{field} is not a date like 2026-12-31") from error


def _locale(value: object, field: str) -> str | None:
    plain = _line(value, field)
    if plain is None:
        return None
    found = _LOCALE.fullmatch(plain)
    if found is None:
        raise BadInputError(f"{field} is not a language tag like 'en' or 'es-MX'")
    return plain.replace("_", "-")


def _zone(value: object, field: str) -> str | None:
    plain = _line(value, field)
    if plain is None:
        return None
    if not is_zone(plain):
        raise BadInputError(f"{field} is not a time zone like 'Europe/Madrid'")
    return plain


def _phone(value: object, field: str) -> str | None:
    plain = _line(value, field)
    if plain is None:
        return None
    try:
        number = phonenumbers.parse(plain, None)
    except phonenumbers.NumberParseException as error:
        raise BadInputError(f"{field} is not a number like +34600111222") from error
    if not phonenumbers.is_possible_number(number):
        raise BadInputError(f"{field} is not a number like +34600111222")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _text(value: object, field: str) -> str | None:
    return _line(value, field)


_Check = Callable[[object, str], Any]
_ACCOUNT: Mapping[str, _Check] = {
    "name": _text,
    "domains": _domains,
    "edition": _text,
    "tier": _text,
    "region": _text,
    "arr": _arr,
    "renewal_date": _day,
    "owner": _text,
    "locale": _locale,
    "time_zone": _zone,
}
_CONTACT: Mapping[str, _Check] = {
    "name": _text,
    "locale": _locale,
    "time_zone": _zone,
    "account": _text,
    "email": email,
    "phone": _phone,
}
