"""Slack's settings: one app, the workspace it is at home in, and what each may say of itself.

Not here: tokens of workspaces that installed the app by link (slack_install.py).
"""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from core.errors import MisconfiguredError
from core.settings import Section

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "reactions:read",
    "users:read",
)
"""The bot token's scopes; docs/channels/slack-manifest.yaml asks for the same."""

OPTIONAL_SCOPES = ("assistant:write", "commands", "files:read", "files:write", "users:read")


class SlackSettings(Section):
    """One app, and the workspace it is at home in.

    `alert_channel` is the CS team's channel id, `auto_channels` (ids, comma-separated) those where every new
    message is for us, after `auto_wait` seconds in which people may answer first. `staff` are user ids of
    colleagues who are not in the alert channel. `bot_user_id` is asked for when not given. `client_id` and
    `client_secret` let other workspaces install the app; `app_token` (xapp-…) turns Socket Mode on.
    `message_gap` seconds lie between two messages to one channel; `timeout` in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_SLACK_")

    bot_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    team_id: str = ""
    bot_user_id: str = ""
    alert_channel: str = ""
    auto_channels: Annotated[tuple[str, ...], NoDecode] = ()
    auto_wait: float = Field(default=120.0, ge=0, le=86_400)
    staff: Annotated[tuple[str, ...], NoDecode] = ()
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    public_url: str = ""
    api_base_url: str | None = None
    message_gap: float = Field(default=1.0, ge=0, le=60)
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("auto_channels", "staff", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(piece.strip() for piece in value.split(",") if piece.strip())
        return value


def own(settings: Section | None) -> SlackSettings:
    """Return the settings as what they are. Raises MisconfiguredError for another channel's."""
    if not isinstance(settings, SlackSettings):
        raise MisconfiguredError(f"slack: expected SlackSettings, got {type(settings).__name__}")
    return settings


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the workspace as customers' inbox and, if there is one, the alert channel as the team's.

    An app that is only installed by link has a signing secret and client credentials and no workspace of its
    own here. Raises MisconfiguredError naming what is missing or cannot be right.
    """
    found = own(settings)
    token, secret = found.bot_token.get_secret_value(), found.signing_secret.get_secret_value()
    by_link = {
        "USHER_SLACK_CLIENT_ID": found.client_id,
        "USHER_SLACK_CLIENT_SECRET": found.client_secret.get_secret_value(),
    }
    at_home = {"USHER_SLACK_BOT_TOKEN": token, "USHER_SLACK_TEAM_ID": found.team_id}
    signed = {"USHER_SLACK_SIGNING_SECRET": secret}
    if any(by_link.values()):
        _require({**by_link, **signed, "USHER_SLACK_PUBLIC_URL": found.public_url})
    is_home = any(at_home.values()) or found.alert_channel or found.app_token.get_secret_value()
    if not is_home and (any(by_link.values()) or not secret):
        return []
    _require({**at_home, **signed})
    _require_plausible(found, token)
    team = [(f"{found.team_id}/{found.alert_channel}", "team")] if found.alert_channel else []
    return [(found.team_id, "customer"), *team]


def _require(given: dict[str, str]) -> None:
    if missing := [name for name, value in given.items() if not value]:
        raise MisconfiguredError(f"slack is half configured; missing: {', '.join(missing)}")


def _require_plausible(found: SlackSettings, token: str) -> None:
    if not token.startswith("xoxb-"):
        raise MisconfiguredError(
            "slack: USHER_SLACK_BOT_TOKEN must be the bot token (xoxb-…), not a user or app token"
        )
    app_token = found.app_token.get_secret_value()
    if app_token and not app_token.startswith("xapp-"):
        raise MisconfiguredError("slack: USHER_SLACK_APP_TOKEN must be an app-level token (xapp-…)")
    if not found.team_id.startswith(("T", "E")):
        raise MisconfiguredError("slack: USHER_SLACK_TEAM_ID must be an id such as T0123ABCD")
    named = [c for c in (found.alert_channel, *found.auto_channels) if c and c[0] not in "CG"]
    if named:
        raise MisconfiguredError(f"slack: {named[0]!r} is a name; give the channel's id (C…)")
