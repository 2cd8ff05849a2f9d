"""Numbers a tenant defines: `ORD-######`, `AC@@{2,4}/#`.

Owns a small language instead of regular expressions, so that no tenant's pattern can hang a turn: `#` is a digit, `@` a
letter, `*` either; `{m,n}` or `{n}` after one of them repeats it, up to 30 times; everything else stands for itself.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from core.errors import BadInputError
from core.pii.found import Found

MOST_SHAPES = 50
_LONGEST = 80
_MOST_REPEATS = 30
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_CLASSES = {"#": r"\d", "@": r"[^\W\d_]", "*": r"[^\W_]"}
_REPEAT = re.compile(r"\{(\d{1,2})(?:,(\d{1,2}))?\}")


def find(text: str, shapes: Mapping[str, str]) -> Iterator[Found]:
    """Yield what has one of the tenant's shapes; the kind is the shape's name."""
    for name, shape in list(shapes.items())[:MOST_SHAPES]:
        for match in compiled(name, shape).finditer(text):
            yield name, *match.span()


@lru_cache(maxsize=512)
def compiled(name: str, shape: str) -> re.Pattern[str]:
    """Return the pattern of a shape. Raises BadInputError for a name or shape that is none."""
    if not _NAME.fullmatch(name):
        raise BadInputError(f"{name!r} is no name for a number: use capitals, digits and _")
    if not 3 <= len(shape) <= _LONGEST or not set(shape) & set(_CLASSES):
        raise BadInputError(f"{shape!r} is no shape: 3 to {_LONGEST} characters, with #, @ or *")
    parts, at = [], 0
    while at < len(shape):
        char = shape[at]
        at += 1
        if char not in _CLASSES:
            parts.append(re.escape(char))
            continue
        repeat = _REPEAT.match(shape, at)
        if repeat:
            at = repeat.end()
            parts.append(_CLASSES[char] + _bounds(repeat, shape))
        else:
            parts.append(_CLASSES[char])
    return re.compile(rf"(?<![\w-]){''.join(parts)}(?![\w-])", re.IGNORECASE)


def _bounds(repeat: re.Match[str], shape: str) -> str:
    fewest = int(repeat[1])
    most = int(repeat[2]) if repeat[2] else fewest
    if not 1 <= fewest <= most <= _MOST_REPEATS:
        raise BadInputError(f"{shape!r}: repeat from 1 to {_MOST_REPEATS} times")
    return f"{{{fewest},{most}}}"
