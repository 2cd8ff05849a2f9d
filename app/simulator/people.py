"""Who uses the simulator: phones, mailboxes and Slack users, and where they reach us.

The names agree with the demo tenant's (app/store/demo.py). Numbers are of the range kept free for fiction.
"""

import re
from dataclasses import dataclass

OUR_NUMBER = "+12025550100"
OUR_ADDRESS = "support@lumen.example"
OUR_BRAND = "Lumen Works"
AUTHSERV = "mx.lumen.example"  # the name our receiving mail server writes its verdicts under
HELP_CHANNEL, ALERT_CHANNEL = "C0HELP", "C0ALERTS"

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone or a mailbox, and what we are told of them."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the Slack workspace."""

    id: str
    name: str
    role: str


JORDAN_PHONE, JORDAN_MAIL = "+12025550143", "jordan@acme.example"
PHONES = {
    JORDAN_PHONE: Person("Jordan Lee", "Acme Robotics, known contact"),
    "+12025550178": Person("Riley Chen", "nobody we know yet"),
    "+34910550123": Person("Lucía Romero", "writes in Spanish"),
}
MAILBOXES = {
    JORDAN_MAIL: Person("Jordan Lee", "Acme Robotics, known contact"),
    "casey@initech.example": Person("Casey Kim", "nobody we know yet"),
}
MEMBERS = (
    Member("U0ANA", "Ana Duarte", "customer"),
    Member("U0MAYA", "Maya Okafor", "CSM"),
    Member("U0NOAH", "Noah Lindqvist", "CSM"),
)
CHANNELS = {HELP_CHANNEL: "help-lumen", ALERT_CHANNEL: "cs-alerts"}


def is_number(text: str) -> bool:
    """Tell whether this is a phone number in E.164."""
    return _NUMBER.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Tell whether this is a plain mail address."""
    return _ADDRESS.fullmatch(text) is not None


def domain_of(address: str) -> str:
    """Return the part behind the @."""
    return address.rpartition("@")[2]
