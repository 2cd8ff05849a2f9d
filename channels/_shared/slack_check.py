"""What `usher channels check slack` looks at: token, scopes, channels, secret, socket, links; and what to click.

Only reads. Not here: calls (slack_api.py), the command.
"""

from collections.abc import Mapping

from channels._shared.slack_access import Tokens, Workspace, workspace_of
from channels._shared.slack_events import part, word
from channels._shared.slack_settings import OPTIONAL_SCOPES, SCOPES, SlackSettings, own
from core.contracts import Finding
from core.conversations import Inbox
from core.errors import DeliveryError

_APP = "https://api.slack.com/apps → your app"


async def examine(tokens: Tokens, inbox: Inbox) -> tuple[Finding, ...]:
    """Return what was found, right or wrong."""
    settings, place = own(inbox.settings), workspace_of(inbox)
    if inbox.kind == "team":
        return (await _channel(tokens, inbox, place.alerts, "the alert channel"),)
    found = [_secret(settings)]
    try:
        access = await tokens.access(inbox)
        known, headers = await tokens.api.look(access, "auth.test", {})
    except DeliveryError as error:
        return (
            *found,
            Finding(
                ok=False,
                sentence=f"The bot token does not work: {error.detail}. "
                f"{_APP} → Install App → Reinstall, and copy the Bot User OAuth Token.",
            ),
        )
    found += [_team(known, place), *_scopes(headers)]
    for channel in settings.auto_channels:
        found.append(await _channel(tokens, inbox, channel, "the auto channel"))
    if settings.app_token.get_secret_value() and place.team == settings.team_id:
        found.append(await _socket(tokens, settings))
    return tuple(found)


def _secret(settings: SlackSettings) -> Finding:
    secret = settings.signing_secret.get_secret_value()
    if secret:
        return Finding(
            ok=True, sentence="A signing secret is set; Slack's requests are verified with it."
        )
    return Finding(
        ok=False,
        sentence=f"No signing secret: {_APP} → Basic Information → App Credentials → Signing Secret.",
    )


def _team(known: Mapping[str, object], place: Workspace) -> Finding:
    team, enterprise = word(known, "team_id"), word(known, "enterprise_id")
    if place.team in (team, enterprise):
        return Finding(ok=True, sentence=f"The bot token is of workspace {team}.")
    return Finding(
        ok=False,
        sentence=f"The bot token is of workspace {team}, but USHER_SLACK_TEAM_ID says {place.team}: "
        "one of the two belongs to another workspace.",
    )


def _scopes(headers: Mapping[str, str]) -> list[Finding]:
    has = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    missing = [scope for scope in SCOPES if scope not in has]
    needed = [scope for scope in missing if scope not in OPTIONAL_SCOPES]
    click = f"{_APP} → OAuth & Permissions → Bot Token Scopes → Add, then reinstall the app."
    found = []
    if needed:
        found.append(
            Finding(ok=False, sentence=f"Scopes are missing: {', '.join(needed)}. {click}")
        )
    else:
        found.append(Finding(ok=True, sentence="Every scope that is needed is there."))
    if optional := [scope for scope in missing if scope in OPTIONAL_SCOPES]:
        sentence = (
            f"Without {', '.join(optional)} part of it is off (docs/channels/slack.md). {click}"
        )
        found.append(Finding(ok=True, sentence=sentence))
    return found


async def _channel(tokens: Tokens, inbox: Inbox, channel: str, what: str) -> Finding:
    try:
        access = await tokens.access(inbox)
        answer = await tokens.api.read(access, "conversations.info", {"channel": channel})
    except DeliveryError as error:
        return Finding(
            ok=False,
            sentence=f"{what.capitalize()} {channel} cannot be seen: {error.detail}. "
            "In Slack, write /invite @usher in it; check that the id is of this workspace.",
        )
    info = part(answer, "channel")
    if info.get("is_archived") is True:
        return Finding(
            ok=False, sentence=f"{what.capitalize()} {channel} is archived: name another one."
        )
    if info.get("is_member") is not True:
        return Finding(
            ok=False,
            sentence=f"The app is not in {what} {channel}: in Slack, write /invite @usher in it.",
        )
    return Finding(ok=True, sentence=f"The app is in {what} {channel}.")


async def _socket(tokens: Tokens, settings: SlackSettings) -> Finding:
    access = tokens.with_token(settings, settings.app_token.get_secret_value())
    try:
        await tokens.api.post(access, "apps.connections.open", {})
    except DeliveryError as error:
        return Finding(
            ok=False,
            sentence=f"Socket Mode does not open: {error.detail}. {_APP} → Socket Mode → on; "
            "Basic Information → App-Level Tokens → one with connections:write.",
        )
    return Finding(ok=True, sentence="Socket Mode opens with the app-level token.")
