"""Look at an account for `usher channels check`: credentials, sender, webhook, templates; a sentence for each.

Imported inside a channel's `build`, because it uses the SDK. Shapes: Twilio's pages "Account", "IncomingPhoneNumber",
"Services" (messaging v1), "Senders" (messaging v2) and "Content". Not here: what a webhook says, sending.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from channels._shared.twilio import TwilioAccess, call
from channels._shared.twilio_media import fetch_media
from channels._shared.twilio_sending import access
from channels._shared.twilio_settings import TwilioFields
from core.contracts import Finding
from core.errors import DeliveryError

__all__ = ["examine_texts", "examine_whatsapp", "fetch_media"]

SANDBOX = "+14155238886"  # everybody's: it stands in nobody's list of senders


async def examine_texts(twilio: ModuleType, own: TwilioFields) -> list[Finding]:
    """Return what was found about a sender of text messages."""
    found = await _examine_account(twilio, own, "SMS")
    if not found[-1].ok:
        return found
    reach, url = access(twilio, own), f"{own.public_url.rstrip('/')}/channels/sms"
    if own.messaging_service_sid:
        found += await _examine_service(reach, own, url)
    if own.from_number:
        found += await _examine_number(reach, own, url)
    return found


async def examine_whatsapp(
    twilio: ModuleType, own: TwilioFields, templates: Mapping[str, str]
) -> list[Finding]:
    """Return what was found about a WhatsApp sender; `templates` are name → ContentSid."""
    found = await _examine_account(twilio, own, "WHATSAPP")
    if not found[-1].ok:
        return found
    reach, url = access(twilio, own), f"{own.public_url.rstrip('/')}/channels/whatsapp"
    if own.messaging_service_sid:
        found += await _examine_service(reach, own, url)
    if own.from_number:
        found += await _examine_sender(reach, own, url)
    for name, sid in templates.items():
        found.append(await _examine_template(reach, name, sid))
    return found


async def _examine_account(twilio: ModuleType, own: TwilioFields, name: str) -> list[Finding]:
    """Try every credential there is; the last finding is the account's that sends."""
    is_plain = own.public_url.startswith("http://")
    insecure = [wrong(f"USHER_{name}_PUBLIC_URL is http: anybody on the way can read")] * is_plain
    found = []
    for sid, token in own.tokens().items():
        signs = TwilioAccess(sid, token, own.api_base_url, own.timeout)
        found.append(await _try_account(signs, f"the auth token of {_short(sid)}"))
    if own.api_key_sid:
        reach = access(twilio, own)
        found.append(await _try_account(reach, f"the API key {_short(own.api_key_sid)}"))
    return [*insecure, *sorted(found, key=lambda each: not each.ok)]


async def _try_account(reach: TwilioAccess, what: str) -> Finding:
    account = await _ask(reach, lambda client: client.api.accounts(reach.account_sid).fetch())
    if isinstance(account, Finding):
        return wrong(f"{what} does not open the account: {account.sentence}")
    if account.status != "active":
        return wrong(f"{what} is right, but the account is {account.status}")
    trial = "; a trial account writes to verified numbers only" if account.type == "Trial" else ""
    return right(f"{what} is right{trial}")


async def _examine_number(reach: TwilioAccess, own: TwilioFields, url: str) -> list[Finding]:
    number = own.from_number
    listed = await _ask(
        reach, lambda client: client.incoming_phone_numbers.list(phone_number=number, limit=2)
    )
    if isinstance(listed, Finding):
        return [listed]
    if not listed:
        return [wrong("the sender number is not this account's (FROM_NUMBER)")]
    (held, *_) = listed
    found = [right("the sender number is this account's")]
    if not (held.capabilities or {}).get("sms"):
        found.append(wrong("the sender number cannot send text messages"))
    if own.messaging_service_sid:
        return found  # the service's webhook was looked at; it wins over the number's
    return [*found, _webhook("the number", held.sms_url, held.sms_method, url)]


async def _examine_service(reach: TwilioAccess, own: TwilioFields, url: str) -> list[Finding]:
    sid = own.messaging_service_sid
    service = await _ask(reach, lambda client: client.messaging.v1.services(sid).fetch())
    if isinstance(service, Finding):
        return [wrong(f"the Messaging Service cannot be seen: {service.sentence}")]
    found = [right("the Messaging Service is this account's")]
    if service.use_inbound_webhook_on_number:
        sentence = "the Messaging Service defers to each sender's own webhook: look at those too"
        return [*found, right(sentence)]
    hooked = _webhook(
        "the Messaging Service", service.inbound_request_url, service.inbound_method, url
    )
    return [*found, hooked]


async def _examine_sender(reach: TwilioAccess, own: TwilioFields, url: str) -> list[Finding]:
    number = own.from_number.removeprefix("whatsapp:")
    if number == SANDBOX:
        sentence = (
            "this is Twilio's sandbox: only people who joined it are reached, and its webhook is set by hand "
            f"(Messaging → Try it out → Sandbox settings: {url}, POST)"
        )
        return [right(sentence)]
    listed = await _ask(
        reach,
        lambda client: client.messaging.v2.channels_senders.list(channel="whatsapp", limit=200),
    )
    if isinstance(listed, Finding):
        return [listed]
    held = next((each for each in listed if each.sender_id == f"whatsapp:{number}"), None)
    if held is None:
        return [wrong("the number is no WhatsApp sender of this account (FROM_NUMBER)")]
    found = [right("the number is a WhatsApp sender of this account")]
    if held.status not in ("ONLINE", "ONLINE:UPDATING"):
        found.append(wrong(f"the WhatsApp sender is not online but {held.status}"))
    if own.messaging_service_sid:
        return found
    hook: Any = held.webhook or {}
    return [
        *found,
        _webhook("the sender", hook.get("callback_url"), hook.get("callback_method"), url),
    ]


async def _examine_template(reach: TwilioAccess, name: str, sid: str) -> Finding:
    asked = await _ask(
        reach, lambda client: client.content.v1.contents(sid).approval_fetch().fetch()
    )
    if isinstance(asked, Finding):
        return wrong(f"the template {name} cannot be seen: {asked.sentence}")
    status = (asked.whatsapp or {}).get("status", "unsubmitted")
    if status != "approved":
        return wrong(f"the template {name} is not approved by WhatsApp but {status}")
    return right(f"the template {name} is approved")


def _webhook(what: str, called: str | None, method: str | None, url: str) -> Finding:
    if (called or "").partition("?")[0] != url:
        told = "another address" if called else "nothing"
        return wrong(f"{what} calls {told} when a message comes in: set {url} with HTTP POST")
    if (method or "POST").upper() != "POST":
        return wrong(f"{what} calls {url} with {method}: set HTTP POST")
    return right(f"{what} calls {url} with POST")


async def _ask(reach: TwilioAccess, use: Callable[[Any], Any]) -> Any:
    """Return what Twilio says, or a Finding of why it does not."""
    try:
        return await call(reach, use)
    except DeliveryError as error:
        return wrong(error.detail)


def right(sentence: str) -> Finding:
    """Return what is as it should be."""
    return Finding(ok=True, sentence=sentence)


def wrong(sentence: str) -> Finding:
    """Return what is not, and where to put it right."""
    return Finding(ok=False, sentence=sentence)


def _short(sid: str) -> str:
    return f"{sid[:2]}…{sid[-4:]}"
