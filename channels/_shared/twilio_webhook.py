"""Believe a webhook of Twilio's or refuse it: which secret signed it, over which URL, and for which sender.

Not here: what it says (twilio_form.py, twilio_whatsapp.py), the SDK (handed in as a module).
"""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

from channels._shared.twilio_form import is_status, parse_form, public_url
from channels._shared.twilio_settings import TwilioFields, is_sid
from core.contracts import WebhookReply, WebhookRequest
from core.errors import AnomalousPayloadError, SignatureError

EMPTY_TWIML = WebhookReply(
    200,
    {"content-type": "text/xml; charset=utf-8"},
    b'<?xml version="1.0" encoding="UTF-8"?><Response/>',
)
_SIGNED_BY = "x-twilio-webhooks-signature-settings"


def addresses(request: WebhookRequest) -> tuple[str, ...]:
    """Return the senders of ours a form may be for, likeliest first; nothing is verified.

    A number inside a Messaging Service comes with both; which is configured is not known here.
    """
    try:
        form = dict(parse_form(request.body))
    except AnomalousPayloadError:
        return ()
    ours = form.get("From" if is_status(form) else "To", "").removeprefix("whatsapp:")
    return tuple(a for a in (form.get("MessagingServiceSid", ""), ours) if a)


def verified(twilio: ModuleType, request: WebhookRequest, own: TwilioFields) -> Mapping[str, str]:
    """Return the form once its signature holds.

    Raises SignatureError; AnomalousPayloadError for signed JSON, which no message comes as.
    """
    url = public_url(own.public_url, request.url)
    signature = request.headers.get("x-twilio-signature")
    if "json" in request.headers.get("content-type", ""):
        body = request.body.decode("utf-8", "replace")
        _require_any(
            own, None, lambda key: twilio.require_json_signature(key, url, body, signature)
        )
        raise AnomalousPayloadError("messages come as forms, not as JSON")
    try:
        form = parse_form(request.body)
    except AnomalousPayloadError as error:
        raise SignatureError("what cannot be read cannot be verified") from error
    settings = request.headers.get(_SIGNED_BY)
    if settings:
        _require_key(twilio, own, url, form, signature, settings)
    else:
        account = dict(form).get("AccountSid")
        _require_any(own, account, lambda key: twilio.require_signature(key, url, form, signature))
    return read(form)


def read(form: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the fields without what no database keeps; a repeated key's last value counts."""
    return {key: value.replace("\x00", "") for key, value in form}


def _require_any(own: TwilioFields, account: str | None, check: Callable[[str], None]) -> None:
    """Return if one of our auth tokens signed it; the account a form names is not believed before."""
    tokens = own.tokens()
    last = SignatureError("no auth token is set")
    for token in tokens.values():
        try:
            check(token)
        except SignatureError as error:
            last = error
        else:
            return
    if account and is_sid(account, "AC") and account not in tokens:
        raise SignatureError(
            "the request names an account that is not set: a subaccount signs with its own auth token"
        ) from last
    raise last


def _require_key(
    twilio: ModuleType,
    own: TwilioFields,
    url: str,
    form: Sequence[tuple[str, str]],
    signature: str | None,
    settings: str,
) -> None:
    """Check a request that a webhook signing key signed in place of the auth token."""
    secret = own.signing_key_secret.get_secret_value()
    if not secret:
        raise SignatureError("signed with a webhook signing key, whose secret is not set")
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    algorithm = named.get("algorithm", "").strip() or None
    twilio.require_signature(secret, url, form, signature, algorithm)
