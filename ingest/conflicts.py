"""Pages that say the same twice, and pages that contradict each other; for the sync report.

Owns what counts as either, careful rather than complete: two pages are near-duplicates when most of
the shorter one stands, nearly word for word, in the other; two sentences contradict each other when
they say the same of the same subject but for a quantity of one kind, or for a "not". Pages that are
for different editions, languages, audiences or times do not contradict each other.
Changes nothing; what to do is for the people who own the pages.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.ids import TenantId
from core.ports import Passages
from core.turns import Passage
from ingest.quantities import Quantity, quantities
from knowledge.lexical import terms
from knowledge.units import Unit, cut

MAX_PASSAGES = 20_000  # beyond it only the first are compared
MAX_FOUND = 100
SAME_MEANING = 0.95  # cosine of chunk vectors
SAME_WORDS = 0.85  # share of common words
SAME_PAGE = 0.8  # share of the shorter page that stands in the other
_BLOCK = 1_000
_LEAST_WORDS = 3  # of a sentence, when another has the very same words
_LEAST_WORDS_BUT_ONE = 4  # when one of them has a word more
_MOST_ALIKE = 40  # sentences of the same words: beyond it they are a template
_NOT = {
    "en": re.compile(
        r"\b(?:not|no|never|cannot|can't|won't|isn't|aren't|don't|doesn't|without)\b", re.I
    ),
    "es": re.compile(r"\b(?:no|nunca|jamás|sin|tampoco)\b", re.I),
}
_TEMPLATE = 3  # values, of pages each: then a sentence is filled in for thing after thing
_ANSWER = re.compile(r"^(?:yes|no|sí|si)[.,:]\s+", re.I)
_GENERIC_WORDS = """
faq guide policy overview help question general introduction page info information article detail
term rule update manage documentation preguntas guía política ayuda información artículo detalle
condiciones norma frequently asked frecuentes
"""
_GENERIC = frozenset(term for locale in ("en", "es") for term in terms(_GENERIC_WORDS, locale))

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands."""

    document: str
    title: str
    section: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two pages that repeat or contradict each other.

    `score` of a duplicate is the share of the shorter page that stands in the other; of a
    contradiction it is 1. `differs` are the words that do, one of each.
    """

    kind: Literal["duplicate", "contradiction"]
    first: Place
    second: Place
    score: float = 1.0
    differs: tuple[str, str] = ("", "")

    def sentence(self) -> str:
        """Return what a report says under the first page's path."""
        if self.kind == "duplicate":
            return f"nearly the same as {self.second.document} ({self.score:.0%})"
        return (
            f"contradicts {self.second.document}: {_short(self.first.text)!r} here,"
            f" {_short(self.second.text)!r} there"
        )


async def find_conflicts(
    passages: Passages, tenant: TenantId, touching: Iterable[str] | None = None
) -> tuple[Conflict, ...]:
    """Return the conflicts among a tenant's live pages, contradictions first.

    `touching` are document paths: only conflicts with one of them are returned. Raises
    UnavailableError when the database is down.
    """
    found: list[tuple[Passage, bytes]] = []
    async for passage, vector in passages.scan(tenant):
        found.append((passage, vector))
        if len(found) >= MAX_PASSAGES:
            break
    wanted = None if touching is None else frozenset(touching)
    return await asyncio.to_thread(conflicts_among, found, wanted)


def conflicts_among(
    found: Sequence[tuple[Passage, bytes]], touching: frozenset[str] | None = None
) -> tuple[Conflict, ...]:
    """Return the conflicts among passages with their vectors. Blocking: seconds for many thousands."""
    passages = [passage for passage, _ in found]
    repeated = list(_duplicates(passages, [vector for _, vector in found]))
    pairs = {frozenset((c.first.document, c.second.document)) for c in repeated}
    contradictions = list(_contradictions(passages))
    # of pages that are nearly the same, what differs is the point
    pairs -= {frozenset((c.first.document, c.second.document)) for c in contradictions}
    every = [*contradictions, *(c for c in repeated if _pair(c) in pairs)]
    kept = [
        c for c in every if touching is None or {c.first.document, c.second.document} & touching
    ]
    return tuple(kept[:MAX_FOUND])


def _pair(conflict: Conflict) -> frozenset[str]:
    return frozenset((conflict.first.document, conflict.second.document))


# ---------------------------------------------------------------- near-duplicates


def _duplicates(passages: Sequence[Passage], vectors: Sequence[bytes]) -> Iterator[Conflict]:
    sizes: defaultdict[str, int] = defaultdict(int)
    words = [frozenset(terms(p.text, p.locale)) for p in passages]
    first = {p.document: p for p in reversed(passages)}
    for passage in passages:
        sizes[passage.document] += len(passage.text)
    # (shorter page, other page) → positions of the shorter one's passages that stand in the other
    repeated: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for a, b in _alike(vectors):
        one, other = passages[a], passages[b]
        if one.document == other.document or not _meet(one, other):
            continue
        if _share(words[a], words[b]) >= SAME_WORDS:
            repeated[one.document, other.document].add(a)
            repeated[other.document, one.document].add(b)
    for (page, larger), own in repeated.items():
        share = sum(len(passages[n].text) for n in own) / sizes[page]
        if (sizes[page], page) < (sizes[larger], larger) and share >= SAME_PAGE:
            yield Conflict("duplicate", _place(first[page]), _place(first[larger]), round(share, 2))


def _alike(vectors: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield index pairs of vectors that mean the same."""
    if not vectors:
        return
    matrix: Floats = np.stack([np.frombuffer(vector, "<f4") for vector in vectors])
    matrix = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.float32(1e-9))
    for start in range(0, len(matrix), _BLOCK):
        scores = matrix[start : start + _BLOCK] @ matrix[start:].T
        for row, column in np.argwhere(scores >= SAME_MEANING):
            if row < column:
                yield start + int(row), start + int(column)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0


# ---------------------------------------------------------------- contradictions


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence, taken apart: its words without quantities, what it counts, whether it denies."""

    order: int
    passage: Passage
    text: str
    words: frozenset[str]
    counts: tuple[Quantity, ...]
    denies: bool


def _contradictions(passages: Sequence[Passage]) -> Iterator[Conflict]:
    said = _without_templates([s for n, p in enumerate(passages) for s in _sayings(n, p)])
    told: set[tuple[str, str, str, str]] = set()
    for pair in _same_words(said):
        one, other = sorted(pair, key=lambda each: each.order)
        if one.passage.document == other.passage.document or not _meet(one.passage, other.passage):
            continue
        differs = _differs(one, other)
        if differs is None or not _same_subject(one, other):
            continue
        key = (one.passage.document, other.passage.document, *differs)
        if key not in told:
            told.add(key)
            yield Conflict(
                "contradiction",
                _place(one.passage, one.text),
                _place(other.passage, other.text),
                1.0,
                differs,
            )


def _sayings(order: int, passage: Passage) -> Iterator[_Said]:
    for unit in cut(passage.text):
        for text in _statements(unit):
            counts, rest = quantities(_ANSWER.sub("", text))
            deny = _NOT.get(passage.locale[:2], _NOT["en"])
            words = frozenset(terms(deny.sub(" ", rest), passage.locale))
            if len(words) >= _LEAST_WORDS and not text.endswith("?"):
                yield _Said(order, passage, text, words, counts, len(deny.findall(rest)) % 2 == 1)


def _without_templates(said: Sequence[_Said]) -> list[_Said]:
    """Return the sentences that are not the same on page after page, each with a value of its own."""
    values: defaultdict[frozenset[str], set[tuple[object, ...]]] = defaultdict(set)
    for each in said:
        values[each.words].add(tuple(q.value for q in each.counts))
    return [each for each in said if len(values[each.words]) < _TEMPLATE]


def _statements(unit: Unit) -> Iterator[str]:
    """Yield a sentence as it is, a table's row as one statement a cell."""
    if unit.kind == "code":
        return
    if unit.kind != "row" or not unit.cells:
        yield unit.text
        return
    for name, cell in zip(unit.header[1:], unit.cells[1:], strict=False):
        if name and cell:
            yield f"{unit.cells[0]} – {name}: {cell}"


def _same_words(said: Sequence[_Said]) -> Iterator[tuple[_Said, _Said]]:
    """Yield pairs whose words are the same, or the same but for one that only one of them has."""
    by_words: defaultdict[frozenset[str], list[_Said]] = defaultdict(list)
    for each in said:
        by_words[each.words].append(each)
    for words, group in by_words.items():
        if len(group) <= _MOST_ALIKE:
            yield from combinations(group, 2)
        if len(words) > _LEAST_WORDS_BUT_ONE:
            for word in words:
                fewer = by_words.get(words - {word}, [])
                if len(group) * len(fewer) <= _MOST_ALIKE:
                    yield from ((a, b) for a in group for b in fewer if not _names(a, word))


def _names(said: _Said, extra: str) -> bool:
    """Tell whether the extra word is a name: then the sentence speaks of something else."""
    written = re.findall(r"(?<!^)\b[A-ZÀ-Þ]\w+", said.text)
    return any(extra in terms(word, said.passage.locale) for word in written)


def _differs(one: _Said, other: _Said) -> tuple[str, str] | None:
    """Return the words in which two sentences disagree, None when they do not."""
    if [q.unit for q in one.counts] != [q.unit for q in other.counts]:
        return None
    pairs = [
        (a.text, b.text)
        for a, b in zip(one.counts, other.counts, strict=True)
        if a.value != b.value
    ]
    if pairs:
        return pairs[0] if one.denies == other.denies else None
    return (
        (one.text, other.text) if one.denies != other.denies and one.words == other.words else None
    )


def _same_subject(one: _Said, other: _Said) -> bool:
    """Tell whether the headings let the sentences speak of one thing.

    "Starter plan" and "Pro plan" are headings of one pattern for two things. "Refunds" and "Billing
    FAQ" may well stand over the same sentence about refunds, since it names itself what it is about.
    "Refunds" and "Refunds for annual plans" are the rule and its exception.
    """
    own = one.words | other.words
    title, second = _about(one, one.passage.title), _about(other, other.passage.title)
    if title & second and not title ^ second <= own:
        return False
    above = _about(one, f"{one.passage.title} {one.passage.section}")
    beside = _about(other, f"{other.passage.title} {other.passage.section}")
    left, right = above - beside, beside - above
    if left and right and above & beside:
        return False
    return left <= own or right <= own


def _about(said: _Said, heading: str) -> frozenset[str]:
    return frozenset(terms(heading, said.passage.locale)) - _GENERIC


# ---------------------------------------------------------------- who sees what


def _meet(one: Passage, other: Passage) -> bool:
    """Tell whether one reader could meet both pages at one time."""
    if one.locale[:2] != other.locale[:2]:
        return False
    if one.editions and other.editions and not set(one.editions) & set(other.editions):
        return False
    begins = max((p.valid_from for p in (one, other) if p.valid_from), default=None)
    ends = min((p.valid_until for p in (one, other) if p.valid_until), default=None)
    return begins is None or ends is None or begins < ends


def _place(passage: Passage, text: str = "") -> Place:
    return Place(
        passage.document, passage.title, passage.section, text or passage.text, passage.url
    )


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"


def as_warnings(conflicts: Iterable[Conflict]) -> Mapping[str, tuple[str, ...]]:
    """Return path → sentences, under the first page of each pair."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for conflict in conflicts:
        found[conflict.first.document].append(conflict.sentence())
    return {path: tuple(said) for path, said in found.items()}
