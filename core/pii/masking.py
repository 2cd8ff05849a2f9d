"""Find personal data, mask it for good, or mask it so that the owner of the masks can restore it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from core.pii import credentials, nationals, payment, people, places, reach, shapes
from core.pii.found import Found, plain, same_value

LONGEST = 32_000
_NOTHING: Mapping[str, str] = {}
_MASK = re.compile(r"<([A-Z][A-Z0-9_]{1,39}_\d{1,3})>")


def find(text: str, own: Mapping[str, str] = _NOTHING, *, names: bool = True) -> list[Found]:
    """Return (type, start, end) of personal data in order, not overlapping; reads 32 000 characters.

    `own` are the tenant's shapes, name → shape (core/pii/shapes.py). `names` False leaves out people and postal
    addresses: what remains has a shape or a check digit and is nearly never wrong.
    """
    read = plain(text[:LONGEST])
    spans: list[Found] = []
    taken = bytearray(len(read))
    for kind, start, end in _all(read, own, names=names):
        if end > start and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            spans.append((kind, start, end))
    return sorted(spans, key=lambda span: span[1])


def _all(text: str, own: Mapping[str, str], *, names: bool) -> Iterator[Found]:
    """Yield finds, the surest kinds first."""
    yield from shapes.find(text, own)
    yield from reach.find_links_and_mails(text)
    yield from credentials.find(text)
    yield from payment.find(text)
    yield from nationals.find(text)
    yield from credentials.find_random(text)
    yield from reach.find_numbers(text)
    if names:
        yield from sorted(places.find(text), key=lambda span: span[1] - span[2])
        yield from people.find(text)


def mask(text: str, spans: Iterable[Found] | None = None, sign: str | None = None) -> str:
    """Return the text with each find replaced by `<TYPE>`, or by `sign` when given."""
    chosen = find(text) if spans is None else spans
    for kind, start, end in sorted(chosen, key=lambda span: -span[1]):
        text = text[:start] + (sign or f"<{kind}>") + text[end:]
    return text


class Masking:
    """Masks over several texts that belong together: the same value gets the same `<TYPE_n>` in all of them.

    Values live in this object alone; drop it and the masks stay masks.
    """

    def __init__(self, own: Mapping[str, str] = _NOTHING, *, names: bool = True) -> None:
        self._own = own
        self._names = names
        self._marks: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, text: str) -> str:
        """Return the text with each find replaced by its `<TYPE_n>`."""
        masked, at = [], 0
        for kind, start, end in find(text, self._own, names=self._names):
            masked += [text[at:start], self._mark(kind, text[start:end])]
            at = end
        return "".join((*masked, text[at:]))

    def restore(self, text: str) -> str:
        """Return the text with the values back; marks that were never given stay as they are."""
        return _MASK.sub(lambda match: self._values.get(match[0], match[0]), text)

    def _mark(self, kind: str, value: str) -> str:
        key = (kind, same_value(kind, value))
        if key not in self._marks:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._marks[key] = f"<{kind}_{self._counts[kind]}>"
            self._values[self._marks[key]] = value
        return self._marks[key]


def mask_reversible(text: str) -> tuple[str, Callable[[str], str]]:
    """Return the text with `<TYPE_n>` in place of personal data, and the function that puts the values back."""
    masking = Masking()
    return masking.mask(text), masking.restore
