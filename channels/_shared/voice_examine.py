"""Whether a phone number can take calls: its account, its webhooks, what is set beside it.

Owns the sentences for whoever sets it up. Not here: the requests themselves (voice_rest.py).
"""

from collections.abc import Mapping

from channels._shared import voice_rest as rest
from channels._shared.voice_settings import VoiceSettings, read_menu
from core.contracts import Finding
from core.errors import RetryableDeliveryError


async def examine(settings: VoiceSettings, access: rest.Access) -> tuple[Finding, ...]:
    """Return what was found at Twilio, right or wrong."""
    try:
        status, _ = await rest.read_account(access)
        if status in (401, 403, 404):
            return (
                Finding(
                    ok=False,
                    sentence="Twilio does not take USHER_VOICE_ACCOUNT_SID with USHER_VOICE_AUTH_TOKEN: copy both from "
                    "Console → Account Dashboard → Account Info.",
                ),
            )
        status, number = await rest.read_number(access, settings.number)
    except RetryableDeliveryError:
        return (Finding(ok=False, sentence=f"Twilio could not be reached at {access.base}."),)
    account = Finding(ok=True, sentence="Twilio takes the account SID and the auth token.")
    if not number:
        wrong = (
            f"{settings.number} is not a number of this account: see Console → Phone Numbers → "
            "Manage → Active numbers, and USHER_VOICE_NUMBER."
        )
        return (account, Finding(ok=False, sentence=wrong))
    return (account, *_webhooks(settings, number), *_beside(settings))


def _webhooks(settings: VoiceSettings, number: Mapping[str, object]) -> list[Finding]:
    base = f"{settings.public_url.rstrip('/')}/channels/voice"
    place = "Console → Phone Numbers → Active numbers → your number → Voice Configuration"
    can = number.get("capabilities")
    found = []
    if isinstance(can, dict) and can.get("voice") is False:
        found.append(
            Finding(ok=False, sentence=f"{settings.number} cannot take calls; buy one that can.")
        )
    for name, wanted, label in (
        ("voice_url", base, "A call comes in"),
        ("status_callback", f"{base}?at=status", "Call status changes"),
    ):
        given = str(number.get(name) or "")
        method = str(number.get(name.replace("_url", "") + "_method") or "POST").upper()
        right = given.split("#")[0] == wanted and method == "POST"
        said = (
            f"“{label}” leads here."
            if right
            else f"“{label}” leads to {given or 'nowhere'} by {method}: set it to {wanted} by HTTP POST under {place}."
        )
        found.append(Finding(ok=right, sentence=said))
    if number.get("voice_application_sid"):
        found.append(
            Finding(
                ok=False,
                sentence=f"A TwiML App overrides the number's webhooks: remove it under {place}.",
            )
        )
    return found


def _beside(settings: VoiceSettings) -> list[Finding]:
    keys = len(read_menu(settings.menu))
    rung = (
        f"A person is rung at {settings.operator_number}."
        if settings.operator_number
        else "Nobody is rung for a person: callers can leave a message (USHER_VOICE_OPERATOR_NUMBER)."
    )
    return [
        Finding(ok=True, sentence=rung),
        Finding(ok=True, sentence=f"The menu has {keys} keys."),
    ]
