"""Answers without a language model: the docs' own sentences, chosen, ordered and cited.

Owns which sentences answer and how they are put together: steps stay steps, of a table the row that
was asked for, a lead sentence first. Writes no word of its own but a column's name. Not here: what
is said when there is no answer (handlers/lines).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.ids import TenantId
from core.ports import Extract, Viewer
from core.turns import Citation, Passage
from core.understanding import Said
from knowledge.decision import decide
from knowledge.encoder import Encoder
from knowledge.evidence import Evidence, ScoredUnit, gather
from knowledge.lexical import terms
from knowledge.retriever import Found, HybridRetriever
from knowledge.support import support
from knowledge.units import Unit, render_row

NEAR_BEST = 0.85  # units that score at least this share of the best are said as well,
NEAR_BEST_BESIDE = 0.7  # those of the same passage sooner
MAX_SENTENCES = 4
MAX_LIST = 12
REPEATED = 0.65  # share of words in common that makes a second sentence superfluous
NEAR_ROW = 0.97  # a second row only when both were asked for

_DANGLING = re.compile(
    r"^(?:you also|it|its|they|them|their|this|that|these|those|he|she|if so|if not|otherwise|then|also|but"
    r"|and|however|instead|both|in that case|for example|esto|eso|estos|esos|además|también|pero|si no"
    r"|por ejemplo)\b",
    re.IGNORECASE,
)
_END_MARK = re.compile(r"[.!?…:;]$")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Units of one passage to be said, by place."""

    passage: int
    places: tuple[int, ...]


class ExtractiveAnswers:
    """Implements core.ports.Answers."""

    def __init__(self, retriever: HybridRetriever, encoder: Encoder) -> None:
        self._retriever = retriever
        self._encoder = encoder

    async def answer(
        self,
        tenant: TenantId,
        question: str,
        talk: Sequence[Said],
        viewer: Viewer,
        k: int = 8,
        max_chars: int = 900,
    ) -> Extract:
        """Return the sentences that best answer, with citations, or say that they do not exist.

        Every line of the text ends with the marker of the passage it is from.
        """
        found = await self._retriever.look(tenant, question, talk, viewer, k)
        evidence = await gather(self._encoder, found)
        decided = decide(found, evidence)
        reasons = (*decided.reasons, *(("words_only",) if found.degraded else ()))
        text = ""
        citations: tuple[Citation, ...] = ()
        if decided.action == "answer":
            text, citations = compose(found, evidence, max_chars)
        return Extract(
            action=decided.action,
            text=text,
            citations=citations,
            passages=found.passages,
            confidence=decided.confidence,
            reasons=reasons,
            options=decided.options,
            query=found.query.text,
        )

    async def support(self, text: str, sources: Sequence[str]) -> float:
        """Return in [0, 1] how far the sources support the text."""
        return await support(self._encoder, text, sources)


def compose(found: Found, evidence: Evidence, max_chars: int) -> tuple[str, tuple[Citation, ...]]:
    """Return the answer's text and citations, at most `max_chars` characters.

    The best unit leads with what belongs to it; other good units follow in document order.
    """
    best = evidence.best
    if best is None:
        return "", ()
    groups = _choose(evidence, best)
    lines: list[str] = []
    citations: list[Citation] = []
    room = max_chars
    for group in groups:
        passage = found.passages[group.passage]
        units = [evidence.units[group.passage][place].unit for place in group.places]
        number = len(citations) + 1
        said = _say(units, _wanted(found, passage), f" [{number}]", room)
        if not said:
            continue
        lines.append(said)
        citations.append(_citation(number, passage, units))
        room -= len(said) + 1
    return "\n".join(lines), tuple(citations)


def _choose(evidence: Evidence, best: ScoredUnit) -> list[_Chosen]:
    """Return what is said: the best unit's surroundings first, then others that add something."""
    chosen: dict[int, set[int]] = {best.passage: set(_belonging(evidence, best))}
    said = _words(evidence, chosen)
    sentences = 1
    rivals = sorted(
        (each for units in evidence.units for each in units), key=lambda each: -each.score
    )
    for rival in rivals:
        if sentences >= MAX_SENTENCES:
            break
        near = NEAR_BEST_BESIDE if rival.passage == best.passage else NEAR_BEST
        if rival.unit.kind == "row":
            near = NEAR_ROW
        if rival.score < near * best.score:
            continue
        own = set(terms(rival.unit.text))
        if rival.place in chosen.get(rival.passage, ()) or rival.unit.kind == "code":
            continue
        if not own or len(own & said) / len(own) >= REPEATED:
            continue
        chosen.setdefault(rival.passage, set()).update(_belonging(evidence, rival))
        said = _words(evidence, chosen)
        sentences += 1
    order = sorted(chosen, key=lambda passage: (passage != best.passage, passage))
    return [_Chosen(passage, tuple(sorted(chosen[passage]))) for passage in order]


def _words(evidence: Evidence, chosen: dict[int, set[int]]) -> set[str]:
    return {
        term
        for passage, places in chosen.items()
        for place in places
        for term in terms(evidence.units[passage][place].unit.text)
    }


def _belonging(evidence: Evidence, picked: ScoredUnit) -> Iterable[int]:
    """Return the places that must be said with a unit so that it can be understood."""
    units = [each.unit for each in evidence.units[picked.passage]]
    place = picked.place
    unit = picked.unit
    if unit.kind in ("step", "item"):
        return _list_around(units, place)
    if unit.opens_list and place + 1 < len(units) and units[place + 1].kind != "sentence":
        return [place, *_list_around(units, place + 1)]
    if unit.kind == "code":
        return [place - 1, place] if place and units[place - 1].kind == "sentence" else [place]
    if unit.kind == "sentence":
        first = place
        while first > 0 and _DANGLING.match(units[first].text) and place - first < 2:
            if units[first - 1].kind != "sentence":
                break
            first -= 1
        following = place + 1
        joined = following < len(units) and units[following].block == unit.block
        last = following if joined and _DANGLING.match(units[following].text) else place
        return range(first, last + 1)
    return [place]


def _list_around(units: Sequence[Unit], place: int) -> list[int]:
    """Return the whole list with the sentence that opens it; of a long plain list only the item."""
    kind, block = units[place].kind, units[place].block
    first = place
    while first > 0 and units[first - 1].kind == kind and units[first - 1].block == block:
        first -= 1
    last = place
    while last + 1 < len(units) and units[last + 1].kind == kind and units[last + 1].block == block:
        last += 1
    opened = first > 0 and units[first - 1].opens_list
    if kind == "item" and not opened:
        return [place]
    places = list(range(first, last + 1))[:MAX_LIST]
    return [first - 1, *places] if opened else places


def _wanted(found: Found, passage: Passage) -> tuple[set[str], set[str]]:
    """Return the words of the last turn and those of the turn it leans on."""
    query = found.query
    before = terms(query.subject, passage.locale) if query.leans else []
    return set(terms(query.last, passage.locale)), set(before)


def _say(units: Sequence[Unit], wanted: tuple[set[str], set[str]], mark: str, room: int) -> str:
    """Return the units as text within `room`, the mark at the end of each line."""
    lines: list[str] = []
    prose: list[str] = []
    for unit in units:
        if unit.kind == "sentence":
            prose.append(unit.text)
            continue
        if prose:
            lines.append(" ".join(prose))
            prose = []
        lines.append(_line(unit, wanted))
    if prose:
        lines.append(" ".join(prose))
    kept: list[str] = []
    for line in lines:
        marked = line if line.endswith(":") and line is not lines[-1] else f"{line}{mark}"
        if len(marked) + 1 > room:
            break
        kept.append(marked)
        room -= len(marked) + 1
    if not kept and lines and room > 80:
        short = lines[0][: room - len(mark) - 2].rsplit(" ", 1)[0]
        kept.append(f"{short}…{mark}")
    return "\n".join(kept)


def _line(unit: Unit, wanted: tuple[set[str], set[str]]) -> str:
    if unit.kind == "step":
        return f"{unit.number}. {unit.text}"
    if unit.kind == "item":
        return f"- {unit.text}"
    if unit.kind == "row":
        return _sentence(render_row(unit.header, unit.cells, _columns(unit, wanted)))
    return unit.text


def _columns(unit: Unit, wanted: tuple[set[str], set[str]]) -> tuple[int, ...]:
    """Return the columns whose name was asked for best, by the last turn before an earlier one.

    A word that also stands in the cells ("$49 per seat" beside a column "Seats") chooses none.
    """
    inside = set(terms(" ".join(unit.cells)))
    for words in wanted:
        hits = [len(set(terms(name)) & (words - inside)) for name in unit.header]
        most = max(hits[1:], default=0)
        if most:
            return tuple(column for column, count in enumerate(hits) if column and count == most)
    return ()


def _sentence(text: str) -> str:
    return text if _END_MARK.search(text) else f"{text}."


def _citation(number: int, passage: Passage, units: Sequence[Unit]) -> Citation:
    url = passage.url
    if url and passage.anchor and "#" not in url:
        url = f"{url}#{passage.anchor}"
    return Citation(
        number=number,
        passage_id=passage.id,
        document=passage.document,
        title=passage.title,
        section=passage.section,
        quote=" ".join(unit.text for unit in units),
        url=url,
    )
