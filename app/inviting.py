"""Links by which somebody lets us into a place of their provider's: a Slack workspace, for one tenant.

Not here: what opening the link does (the channel), the inbox it makes (doors.py).
"""

import json
from datetime import timedelta

from app.services import Services
from core.errors import BadInputError, MisconfiguredError
from core.ids import TenantId

DAYS = 7


async def install_link(
    services: Services, channel: str, tenant: TenantId, days: int = DAYS
) -> tuple[str, str]:
    """Return a link that installs `channel` for the tenant, and until when (ISO 8601) it is good.

    Raises BadInputError for a channel that is not installed by link, MisconfiguredError when its app's
    credentials are not set, NotFoundError for an unknown channel or tenant.
    """
    if not hasattr(services.inboxes.channel(channel), "invited"):
        raise BadInputError(f"{channel} is not installed by link: see docs/channels/{channel}.md")
    settings = services.inboxes.settings(channel)
    if not getattr(settings, "client_id", ""):
        raise MisconfiguredError(
            f"USHER_{channel.upper()}_CLIENT_ID is not set: docs/channels/{channel}.md says where it stands"
        )
    await services.directory.policy(tenant)  # the tenant exists
    until = (services.clock.now() + timedelta(days=days)).isoformat()
    sealed = services.vault.seal(
        json.dumps({"tenant": tenant, "until": until}), f"install:{channel}"
    )
    base = str(getattr(settings, "public_url", "") or services.settings.url).rstrip("/")
    return f"{base}/channels/{channel}?install={sealed}", until
