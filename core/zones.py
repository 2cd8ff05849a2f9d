"""The IANA time zones, read once when this module is imported, so that no turn reads a file.

Places, countries and nicknames are not here (handlers/_shared/places.py).
"""

import zoneinfo
from collections.abc import Mapping
from zoneinfo import ZoneInfo

REGIONS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
    "Etc/GMT",
)


def _load() -> Mapping[str, ZoneInfo]:
    names = sorted(zoneinfo.available_timezones())
    return {name: ZoneInfo(name) for name in names if name == "UTC" or name.startswith(REGIONS)}


ZONES: Mapping[str, ZoneInfo] = _load()


def zone_info(name: str) -> ZoneInfo:
    """Return the zone of an IANA name; UTC for one that is not known here."""
    return ZONES.get(name) or ZONES["UTC"]


def is_zone(name: str) -> bool:
    """Return whether this is an IANA zone name known here."""
    return name in ZONES
