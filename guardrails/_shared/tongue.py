"""Which language a text is written in, by its small words; unsure counts as none.

Owns English and Spanish, which we answer in, and four neighbours that a model may slip into. Not here: the language of
what customers write (understanding.language).
"""

import re

_WORDS = {
    "en": (
        "the and is are was were you your with this that for from have has can will would not what when where "
        "how of to in it we i our if then please by be on at or an"
    ),
    "es": (
        "en el los las una unos que con para por su sus tu tus esta este estos puede puedes como cuando donde "
        "del al es son se no pero si más mas muy ya le les lo nos aquí aqui desde hasta también tambien y o "
        "un"
    ),
    "de": (
        "der die das und ist sind nicht mit für fur auf ein eine einen sie ihr ihre wir ich von zu im den dem "
        "des bei oder wenn können konnen wird werden auch"
    ),
    "fr": (
        "le les des est sont une vous votre vos nous notre avec pour dans sur pas que qui ce cette ces du au "
        "aux et ou il elle peut pouvez être etre"
    ),
    "pt": (
        "os as uma você voce seu sua com para por não nao está esta são sao mais quando onde como do da dos "
        "das em no na pode ou e um que"
    ),
    "it": (
        "il gli una che con per non è sono del della dei delle nel nella può puoi suo sua come quando dove "
        "più anche di un e o si"
    ),
}
_KNOWN = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_CODE = re.compile(r"`[^`]*`")
_MACHINE = re.compile(r"[@_/\\]")  # addresses, paths and names of things
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 4
_LEAD = 1.5


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code, or None when too little speaks for one."""
    written = _CODE.sub(" ", text.lower()).split()
    words = [w for part in written if not _MACHINE.search(part) for w in _WORD.findall(part)]
    counts = sorted(
        ((sum(w in known for w in words), name) for name, known in _KNOWN.items()), reverse=True
    )
    (most, name), (second, _) = counts[0], counts[1]
    return name if most >= _FEWEST and most >= _LEAD * second else None
