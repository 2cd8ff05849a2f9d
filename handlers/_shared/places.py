"""Which time zone a customer means by a city, a country, an abbreviation or an offset.

Owns a small table of our own and the city names inside IANA zone names. Not here: zones (core/zones.py), times
themselves (spoken_times.py).
"""

import re
from collections.abc import Mapping

from core.zones import ZONES, is_zone
from handlers._shared.wording import plain

_CITIES = {
    "Europe/London": "uk england scotland wales britain united kingdom great britain manchester birmingham leeds "
    "edinburgh glasgow bristol liverpool cardiff gmt bst londres reino unido",
    "Europe/Dublin": "ireland irlanda cork galway",
    "Europe/Lisbon": "portugal porto lisboa",
    "Europe/Madrid": "spain espana barcelona valencia sevilla seville bilbao malaga zaragoza cet cest mez",
    "Europe/Paris": "france francia lyon marseille toulouse nice bordeaux",
    "Europe/Berlin": "germany alemania deutschland munich munchen hamburg frankfurt cologne koln stuttgart",
    "Europe/Rome": "italy italia milan milano turin napoli naples roma",
    "Europe/Amsterdam": "netherlands holland rotterdam utrecht paises bajos",
    "Europe/Brussels": "belgium belgica antwerp ghent bruselas",
    "Europe/Zurich": "switzerland suiza geneva basel bern",
    "Europe/Vienna": "austria wien salzburg",
    "Europe/Stockholm": "sweden suecia gothenburg malmo",
    "Europe/Oslo": "norway noruega bergen",
    "Europe/Copenhagen": "denmark dinamarca aarhus",
    "Europe/Helsinki": "finland finlandia eet eest",
    "Europe/Warsaw": "poland polonia krakow wroclaw gdansk",
    "Europe/Prague": "czechia czech republic brno",
    "Europe/Budapest": "hungary hungria",
    "Europe/Bucharest": "romania rumania cluj",
    "Europe/Athens": "greece grecia",
    "Europe/Kyiv": "ukraine ucrania kiev",
    "Europe/Istanbul": "turkey turquia ankara",
    "Europe/Moscow": "moscu st petersburg",
    "America/New_York": "nyc new york city boston miami atlanta philadelphia washington dc orlando charlotte "
    "est edt et eastern eastern time nueva york",
    "America/Chicago": "dallas houston austin san antonio minneapolis nashville new orleans cst cdt ct "
    "central central time",
    "America/Denver": "salt lake city boulder mst mdt mt mountain mountain time",
    "America/Phoenix": "arizona tucson",
    "America/Los_Angeles": "san francisco seattle san diego portland las vegas california la sf bay area silicon "
    "valley pst pdt pt pacific pacific time",
    "America/Anchorage": "alaska",
    "Pacific/Honolulu": "hawaii",
    "America/Toronto": "ottawa montreal quebec ontario",
    "America/Vancouver": "british columbia",
    "America/Edmonton": "calgary alberta",
    "America/Mexico_City": "cdmx guadalajara monterrey ciudad de mexico",
    "America/Bogota": "colombia medellin cali",
    "America/Lima": "peru",
    "America/Santiago": "chile",
    "America/Argentina/Buenos_Aires": "argentina cordoba rosario buenos aires",
    "America/Montevideo": "uruguay",
    "America/Caracas": "venezuela",
    "America/Guayaquil": "ecuador quito",
    "America/La_Paz": "bolivia",
    "America/Asuncion": "paraguay",
    "America/Panama": "panama",
    "America/Costa_Rica": "costa rica",
    "America/Guatemala": "guatemala",
    "America/Santo_Domingo": "dominican republic republica dominicana",
    "America/Sao_Paulo": "rio de janeiro brasilia rio",
    "Asia/Kolkata": "india mumbai bombay delhi new delhi bangalore bengaluru chennai hyderabad pune ist",
    "Asia/Karachi": "pakistan lahore",
    "Asia/Dhaka": "bangladesh",
    "Asia/Shanghai": "china beijing shenzhen guangzhou",
    "Asia/Hong_Kong": "hk",
    "Asia/Taipei": "taiwan",
    "Asia/Tokyo": "japan japon osaka kyoto jst",
    "Asia/Seoul": "korea south korea corea kst",
    "Asia/Singapore": "sgt",
    "Asia/Kuala_Lumpur": "malaysia",
    "Asia/Manila": "philippines filipinas",
    "Asia/Ho_Chi_Minh": "vietnam hanoi saigon",
    "Asia/Bangkok": "thailand tailandia",
    "Asia/Dubai": "uae united arab emirates abu dhabi emirates",
    "Asia/Riyadh": "saudi arabia jeddah",
    "Asia/Jerusalem": "israel tel aviv",
    "Africa/Johannesburg": "south africa cape town durban pretoria sast",
    "Africa/Nairobi": "kenya",
    "Africa/Lagos": "nigeria abuja",
    "Africa/Cairo": "egypt egipto",
    "Africa/Casablanca": "morocco marruecos rabat",
    "Australia/Sydney": "canberra nsw aest aedt",
    "Australia/Melbourne": "victoria",
    "Australia/Perth": "western australia awst",
    "Australia/Brisbane": "queensland",
    "Pacific/Auckland": "new zealand wellington christchurch nueva zelanda nzst",
    "UTC": "utc zulu z gmt+0 utc+0",
}

# Countries a single zone would be a guess for; the choices we offer instead.
_WIDE = {
    "usa us united states america the states estados unidos eeuu": (
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
    ),
    "canada": ("America/Toronto", "America/Winnipeg", "America/Edmonton", "America/Vancouver"),
    "australia": (
        "Australia/Sydney",
        "Australia/Brisbane",
        "Australia/Adelaide",
        "Australia/Perth",
    ),
    "brazil brasil": ("America/Sao_Paulo", "America/Manaus"),
    "mexico": ("America/Mexico_City", "America/Cancun", "America/Tijuana"),
    "russia rusia": ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Vladivostok"),
    "indonesia": ("Asia/Jakarta", "Asia/Makassar"),
}

_DIRECTIONS = frozenset({"north", "south", "west", "east", "center"})
_ABBREVIATION = 2  # letters; "la" and "et" are places only where nothing else is said

_PAIRS = (
    "united kingdom|great britain|reino unido|paises bajos|czech republic|st petersburg|new york city|new york|"
    "washington dc|eastern time|nueva york|san antonio|new orleans|central time|salt lake city|mountain time|"
    "san francisco|san diego|las vegas|bay area|silicon valley|pacific time|british columbia|ciudad de mexico|"
    "buenos aires|costa rica|dominican republic|republica dominicana|rio de janeiro|new delhi|south korea|"
    "united arab emirates|abu dhabi|saudi arabia|tel aviv|south africa|cape town|western australia|"
    "new zealand|nueva zelanda|united states|the states|estados unidos"
)

_OFFSET = re.compile(r"\b(?:utc|gmt)\s*([+-])\s*(\d{1,2})(?::?00)?\b")
_NEAR = re.compile(
    r"\b(?:i'm in|im in|i am in|we're in|we are in|based in|live in|located in|from|estoy en|estamos en|vivo en"
    r"|desde)\s+([a-z][a-z .'-]*)|\b([a-z][a-z ]*?) (?:time|timezone|time zone)\b|\b(?:hora de|zona de)\s+([a-z ]+)"
)


def _names(text: str) -> list[str]:
    """Split a row of the table into names, keeping those of several words whole."""
    names = []
    for pair in sorted(_PAIRS.split("|"), key=len, reverse=True):
        if pair in text:
            names.append(pair)
            text = text.replace(pair, " ")
    return names + text.split()


def _load() -> Mapping[str, str]:
    places = {}
    for name in ZONES:
        city = plain(name.rpartition("/")[2].replace("_", " "))
        if not name.startswith("Etc/") and city not in _DIRECTIONS:
            places[city] = name
        places[name.lower()] = name
    for name, row in _CITIES.items():
        places.update(dict.fromkeys(_names(row), name))
        places[plain(name.rpartition("/")[2].replace("_", " "))] = name
    return places


_PLACES = _load()
_COUNTRIES = {name: zones for row, zones in _WIDE.items() for name in _names(row)}


def find_zone(text: str, *, whole: bool) -> str | None:
    """Return the IANA zone a text names.

    `whole`: the message answers "where are you?", so any place in it counts; else only one said to be where
    the customer is ("I'm in Lima", "3pm Berlin time").
    """
    said = plain(text)
    offset = _OFFSET.search(text.lower())
    if offset and 0 < int(offset[2]) <= 14:
        # POSIX signs: Etc/GMT-2 is two hours ahead of UTC.
        name = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
        return name if is_zone(name) else None
    if whole:
        return _longest(said)
    for match in _NEAR.finditer(said):
        named = _longest(next(group for group in match.groups() if group))
        if named is not None:
            return named
    return None


def zones_of_country(text: str) -> tuple[str, ...]:
    """Return the zones to choose from when the text names a country with several, else ()."""
    said = plain(text).split()
    for size in (3, 2, 1):
        for start in range(len(said) - size + 1):
            zones = _COUNTRIES.get(" ".join(said[start : start + size]))
            if zones:
                return zones
    return ()


def _longest(said: str) -> str | None:
    words = said.replace(",", " ").split()[:20]
    for size in (4, 3, 2, 1):
        for start in range(len(words) - size + 1):
            name = " ".join(words[start : start + size])
            if name in _COUNTRIES:
                continue
            if name in _PLACES and (len(name) > _ABBREVIATION or len(words) <= _ABBREVIATION):
                return _PLACES[name]
    return None


def city_of(name: str) -> str:
    """Return how a zone is called aloud: "Europe/Madrid" → "Madrid"."""
    return "UTC" if name.startswith("Etc/") else name.rpartition("/")[2].replace("_", " ")
