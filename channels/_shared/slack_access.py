"""Which token speaks in which workspace: the environment's own, or one sealed when the app was installed.

Not here: how a workspace installs (slack_install.py), calls (slack_api.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from channels._shared.slack_settings import SlackSettings, own
from core.contracts import ChannelContext
from core.conversations import Inbox
from core.errors import PermanentDeliveryError, SignatureError
from core.ids import TenantId

PURPOSE = "slack.bot_token"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where we are installed: `team`, and the CS team's channel there ("" when it has none)."""

    team: str
    alerts: str


def workspace_of(inbox: Inbox) -> Workspace:
    """Return the workspace an inbox stands for; its address is `T…` or `T…/C…`."""
    settings = own(inbox.settings)
    team = inbox.address.partition("/")[0] or settings.team_id
    return Workspace(team, settings.alert_channel if team == settings.team_id else "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Finds and keeps tokens. `api` is channels._shared.slack_api, loaded with the SDK."""

    context: ChannelContext
    api: ModuleType

    async def access(self, inbox: Inbox) -> object:
        """Return how to call Slack for this inbox. Raises PermanentDeliveryError when the app was removed there."""
        settings, team = own(inbox.settings), workspace_of(inbox).team
        kept = await self.installation(inbox.tenant, team)
        if kept.get("token"):
            return self.with_token(settings, self._opened(str(kept["token"])))
        if team != settings.team_id or not settings.bot_token.get_secret_value():
            raise PermanentDeliveryError("the app is not installed in this workspace any more")
        return self.with_token(settings, settings.bot_token.get_secret_value())

    async def installation(self, tenant: TenantId, team: str) -> Mapping[str, object]:
        """Return what is kept of an installation by link, {} when there is none."""
        return await self.context.state.get("slack", tenant, f"team:{team}") or {}

    async def keep(self, tenant: TenantId, team: str, token: str, bot_user: str) -> None:
        """Seal and keep a workspace's token."""
        row = {"token": self.context.vault.seal(token, PURPOSE), "bot_user": bot_user}
        await self.context.state.put("slack", tenant, f"team:{team}", row)

    async def forget(self, inbox: Inbox) -> None:
        """Throw the workspace's sealed token away: the app was removed, or its token revoked."""
        team = workspace_of(inbox).team
        if await self.installation(inbox.tenant, team):
            await self.context.state.put("slack", inbox.tenant, f"team:{team}", {"removed": True})

    def with_token(self, settings: SlackSettings, token: str) -> object:
        """Return how to call Slack with a token; a client is made per call, none is rewritten."""
        return self.api.SlackAccess(token, settings.api_base_url, settings.timeout)

    def _opened(self, sealed: str) -> str:
        try:
            return self.context.vault.open(sealed, PURPOSE)
        except SignatureError as error:
            raise PermanentDeliveryError(
                "the workspace's token was sealed under another USHER_SECRET: install the app there again"
            ) from error
