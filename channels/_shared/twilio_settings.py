"""The settings every channel of Twilio's shares, what can be wrong with them, and which credentials do what.

Two kinds of secret: webhooks are signed with an account's auth token (a subaccount signs with its own), while calls
to the REST API may use an API key, which signs nothing. Not here: a channel's own settings (its file), the client.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr

from core.errors import MisconfiguredError

NUMBER = re.compile(r"\+?[0-9]{3,15}")


class TwilioFields(BaseModel):
    """What is set for one sender, whatever it carries."""

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    subaccount_sid: str = ""
    subaccount_auth_token: SecretStr = SecretStr("")
    api_key_sid: str = ""
    api_key_secret: SecretStr = SecretStr("")
    signing_key_secret: SecretStr = SecretStr("")
    from_number: str = ""
    messaging_service_sid: str = ""
    public_url: str = ""
    api_base_url: str | None = None
    timeout: float = Field(default=15.0, gt=0, le=60)

    @property
    def owner_sid(self) -> str:
        """The account the sender belongs to."""
        return self.subaccount_sid or self.account_sid

    def credentials(self) -> tuple[str, str]:
        """Return (username, password) of REST calls."""
        if self.api_key_sid:
            return self.api_key_sid, self.api_key_secret.get_secret_value()
        if self.subaccount_sid:
            return self.subaccount_sid, self.subaccount_auth_token.get_secret_value()
        return self.account_sid, self.auth_token.get_secret_value()

    def tokens(self) -> Mapping[str, str]:
        """Return the auth token by the account that signs with it, the sender's own first."""
        by_account = {
            self.subaccount_sid: self.subaccount_auth_token.get_secret_value(),
            self.account_sid: self.auth_token.get_secret_value(),
        }
        return {sid: token for sid, token in by_account.items() if sid and token}


def require_whole(channel: str, own: TwilioFields) -> bool:
    """Return whether the channel is configured at all.

    Raises MisconfiguredError naming everything that is missing or cannot be right; no value is shown.
    """
    prefix = f"USHER_{channel.upper()}_"
    sender = f"{prefix}FROM_NUMBER or {prefix}MESSAGING_SERVICE_SID"
    given = {
        f"{prefix}ACCOUNT_SID": bool(own.account_sid),
        f"{prefix}AUTH_TOKEN": _is_set(own.auth_token),
        sender: bool(own.from_number or own.messaging_service_sid),
        f"{prefix}PUBLIC_URL": bool(own.public_url),
    }
    missing = [name for name, is_given in given.items() if not is_given]
    # A public URL or a base URL alone configures nothing: other channels' set-ups share them.
    if not any(is_given for name, is_given in given.items() if "PUBLIC_URL" not in name):
        return False
    if missing:
        raise MisconfiguredError(f"{channel} is half configured; missing: {', '.join(missing)}")
    problems = [sentence for is_wrong, sentence in _problems(prefix, own) if is_wrong]
    if problems:
        raise MisconfiguredError(f"{channel}: {'; '.join(problems)}")
    return True


def _problems(prefix: str, own: TwilioFields) -> Iterable[tuple[bool, str]]:
    number = own.from_number.removeprefix("whatsapp:")
    yield (
        not is_sid(own.account_sid, "AC"),
        f"{prefix}ACCOUNT_SID must be AC and 32 hex digits",
    )
    yield (
        bool(number) and not NUMBER.fullmatch(number),
        f"{prefix}FROM_NUMBER must be a number such as +15550100",
    )
    yield (
        bool(own.messaging_service_sid) and not own.messaging_service_sid.startswith("MG"),
        f"{prefix}MESSAGING_SERVICE_SID must start with MG",
    )
    yield (
        not is_http(own.public_url),
        f"{prefix}PUBLIC_URL must be http(s)://host, without query",
    )
    yield (
        bool(own.subaccount_sid) and not is_sid(own.subaccount_sid, "AC"),
        f"{prefix}SUBACCOUNT_SID must be AC and 32 hex digits",
    )
    yield (
        bool(own.subaccount_sid) != _is_set(own.subaccount_auth_token),
        f"{prefix}SUBACCOUNT_SID and {prefix}SUBACCOUNT_AUTH_TOKEN go together: "
        "a subaccount signs its webhooks with its own token",
    )
    yield (
        bool(own.api_key_sid) and not is_sid(own.api_key_sid, "SK"),
        f"{prefix}API_KEY_SID must be SK and 32 hex digits",
    )
    yield (
        bool(own.api_key_sid) != _is_set(own.api_key_secret),
        f"{prefix}API_KEY_SID and {prefix}API_KEY_SECRET go together",
    )


def is_sid(text: str, kind: str) -> bool:
    """Tell whether this is a SID of a kind (`AC`, `MG`, `HX`): two letters and 32 hex digits."""
    return re.fullmatch(rf"{kind}[0-9a-fA-F]{{32}}", text) is not None


def is_http(url: str) -> bool:
    """Tell whether this is an http(s) address with a host and without a query."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False


def _is_set(secret: SecretStr) -> bool:
    return bool(secret.get_secret_value())
