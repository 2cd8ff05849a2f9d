"""A conversation by mail with others reading along: a colleague, a stranger, somebody of our own team."""

from typing import Any

from core.messages import Assurance
from core.ports import Accepted
from tests.app.console.office import Office
from tests.store.scene import DEMO, OTHER, Scene

ANA, BO, CY = "ana@acme.example", "bo@acme-group.example", "cy@else.example"
MAYA = "maya@lumen.example"


async def with_mail(scene: Scene) -> None:
    """Give the tenants a mailbox, and Acme two contacts."""
    for tenant in (DEMO, OTHER):
        scene.inboxes[f"{tenant}:email"] = await scene.directory.ensure_inbox(
            tenant, "email", f"support@{tenant}.example", "customer", ""
        )
    await scene.directory.put_account(
        DEMO, "acme-m", {"name": "Acme", "domains": ["acme.example"], "edition": "free"}
    )
    for number, address in enumerate((ANA, BO)):
        await scene.directory.put_contact(
            DEMO,
            f"m-{number}",
            {"name": address[:3].strip("@").title(), "email": address, "account": "acme-m"},
        )


async def writes(desk: Office, *cc: str, text: str = "Can you help us?", **more: Any) -> Accepted:
    """Let Ana write a mail with others in Cc."""
    given = {"sender": ANA, "channel": "email", "assurance": Assurance.PROVEN, "subject": "Export"}
    return await desk.says(text, cc=cc, **{**given, **more})
