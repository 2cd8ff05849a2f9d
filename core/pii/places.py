"""Postal addresses, by house number and street word, post boxes, and what follows "address is".

Owns: what looks like one on an envelope. Towns and countries alone are not personal.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
from collections.abc import Iterator

from core.pii.found import ADDRESS, Found

_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩА-Я]"
_WORD = rf"{_CAPITAL}[\w.'’-]{{0,30}}"
_ENGLISH = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Tce|Circle|Cir|Square|Sq|Parkway|Pkwy|Highway|Hwy"
    r"|Way|Close|Crescent|Cres|Grove|Gardens|Alley|Trail|Row|Mews|Quay|Walk|Hill|Courts)"
)
_UNIT = r"(?:,?\s+(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Piso|Puerta|Esc|#)\.?\s*#?\w{1,6}\b|\s+#\d+\b)"
_TAIL = rf"(?:[\s,]{{1,8}}(?:{_CAPITAL}[\w.'’-]*|\d{{3,6}}(?:[ -]\d{{3,4}})?|[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}|[A-Z]{{2}})\b){{0,6}}"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # 704 Redbud Drive Apt. 3, Boston, MA 02110
        rf"\b\d{{1,6}}[A-Za-z]?,?(?: \d{{1,5}})?(?: {_WORD}| \d{{1,3}}(?:st|nd|rd|th)){{1,5}}? {_ENGLISH}\b\.?(?! [a-z]+ing\b){_UNIT}?{_TAIL}",
        # Villacher Strasse 89, Præstevænget 15, Puruntie 82
        rf"\b(?:{_WORD} ){{0,3}}(?:{_CAPITAL}[\w'’-]{{1,30}}(?:straße|strasse|str\.|gasse|weg|platz|allee|damm|ufer|gatan|vägen|gränd|vej|vænget|gade|veien|gata|stræde|katu|tie|polku|straat|laan|plein|gracht|kade|utca)"
        rf"|{_WORD} (?:Strasse|Straße|Gasse|Weg|Platz|Allee|utca|út|tér|u\.|ulica|cesta|trg|náměstí|katu|tie)) \d{{1,5}}[a-z]?\b{_UNIT}?{_TAIL}",
        # Calle Mayor 12, 3º B · Rua do Paseo 46 · ul. Miła 53 · 12 rue de Rivoli
        rf"\b(?:Calle|C/|Avenida|Avda\.?|Av\.|Plaza|Paseo|Camino|Carretera|Ronda|Travesía|Rúa|Rua|Praça|Via|Viale|Piazza|Corso|Rue|Avenue|ul\.|Ul\.|ulica|Ulica|calle|avenida|plaza|paseo|rue|via)"
        rf" (?:(?:de|del|la|las|los|do|da|dos|di|des|du) ){{0,2}}{_WORD}(?: (?:(?:de|del|la|do|da|di) )?{_WORD}){{0,3}},?(?: n[.ºo°]*)? ?\d{{1,5}}\b{_UNIT}?{_TAIL}",
        rf"\b\d{{1,5}},? (?:bis |ter )?(?:rue|avenue|boulevard|place|chemin|impasse|quai) (?:(?:de|du|des|la|le|l') ?){{0,2}}{_WORD}(?: {_WORD}){{0,3}}{_TAIL}",
        # house number, street without a known word, then Apt.
        rf"\b\d{{1,6}}(?: {_WORD}){{1,4}} \d{{1,5}}{_UNIT}{_TAIL}",
        rf"\b\d{{1,6}}(?: \d{{1,5}})?(?: {_WORD}){{1,4}}{_UNIT}{_TAIL}",
        # post boxes and the forces' mail
        r"\b(?:P\.? ?O\.? ?Box|Apartado(?: de correos)?|Postfach|Boîte postale) #?\d{1,8}\b",
        r"\b(?:(?:PSC|[Uu]nit|CMR) \d{1,6},? [Bb]ox \d{1,6}[\s,]{1,8}|(?:USS|USNS|USCGC|USNV) \w{1,30}[\s,]{1,8})?(?:APO|FPO|DPO|apo|fpo|dpo) (?:A[AEP]|a[aep]) \d{5}(?:-\d{4})?\b",
        # state and zip, British and Canadian postcodes
        rf"\b{_WORD}(?: {_WORD}){{0,2}}, [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?\b",
        r"\b(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPS-UW\d]? \d[ABD-HJLNP-UW-Z]{2})\b",
        r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d\b",
    )
)
_SAID = re.compile(
    r"\b(?:my|our|her|his|their|new|home|billing|shipping|delivery|postal|mailing|mi|nuestra|su|nueva)(?: \w+){0,2} (?:address|dirección|domicilio)(?: is(?: now)?|:| es| to)\s*([^\n?!]{8,120})",
    re.IGNORECASE,
)
_LIVES = re.compile(
    rf"\b(?:i live|we live|lives?|located|vivo|vivimos) (?:at|in|on|en)(?: la| el)? (\d[^\n.?!]{{6,100}}|{_WORD}(?: {_WORD}){{0,3}} \d{{1,5}}\b)",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[Found]:
    """Yield postal addresses; parts of one may overlap."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield ADDRESS, *match.span()
    for pattern in (_SAID, _LIVES):
        for match in pattern.finditer(text):
            # An address has a number and a name; "my address is wrong" has neither.
            if re.search(r"\d", match[1]) and re.search(rf"\b{_CAPITAL}", match[1]):
                yield ADDRESS, match.start(1), match.start(1) + len(match[1].rstrip(" .,"))
