"""What the demo tenant has so that a stranger can try everything: people, hosts, session types, two accounts."""

from app.store.access import SqlAccess
from app.store.bookings import SqlBookings
from app.store.directory import SqlDirectory
from app.store.office_hours import Host
from core.bookings import SessionType
from core.ids import TenantId
from core.ports import TenantPolicy

DEMO = TenantId("demo")
DEMO_PASSWORD = "lumen-demo-2026"  # noqa: S105 - printed by `make run`, works in development only
_TEAM = (
    ("Maya Okafor", "maya@lumen.example", "admin", "U0MAYA"),
    ("Noah Lindqvist", "noah@lumen.example", "csm", "U0NOAH"),
    ("Vera Santos", "vera@lumen.example", "viewer", None),
)
_HOURS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "17:00"),))
_POLICY = TenantPolicy(domains=("lumenboards.example", "*.lumenboards.example"))
_SESSIONS = (
    SessionType("onboarding", "Onboarding session", 45, 15),
    SessionType("training", "Training session", 60, 0),
    SessionType("review", "Account review", 30, 0),
)


async def seed_demo(directory: SqlDirectory, calendar: SqlBookings, access: SqlAccess) -> None:
    """Make the demo tenant's people and calendar where they do not exist yet; idempotent."""
    await directory.ensure_tenant(DEMO, "Lumen Works", _POLICY)
    if await access.csms(DEMO):
        return
    for name, email, role, slack in _TEAM:
        await access.create_csm(DEMO, name, email, DEMO_PASSWORD, role, slack)  # type: ignore[arg-type]
    await calendar.set_up(
        DEMO,
        [
            Host(f"hst_{name.split()[0].lower()}", name, email, "America/New_York", _HOURS)
            for name, email, _role, slack in _TEAM
            if slack
        ],
        _SESSIONS,
    )
    await directory.put_account(
        DEMO,
        "acme",
        {
            "name": "Acme Robotics",
            "domains": ["acme.example"],
            "edition": "pro",
            "tier": "gold",
            "arr": 48_000,
            "time_zone": "America/New_York",
        },
    )
    await directory.put_contact(
        DEMO,
        "jordan",
        {
            "name": "Jordan Lee",
            "account": "acme",
            "email": "jordan@acme.example",
            "phone": "+12025550143",
        },
    )
