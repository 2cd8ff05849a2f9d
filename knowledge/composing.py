"""The words of an answer: which units are said, in what order, within the room there is.

Owns putting the docs' own sentences together: steps whole, of a table the rows that matter, the
deciding sentence first, every line with its marker. Writes no word of its own but a column's name.
Not here: how well a unit answers (ranking.py), the decision.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.turns import Citation, Passage
from knowledge.comparing import Named
from knowledge.evidence import Evidence, ScoredUnit
from knowledge.lexical import terms
from knowledge.retriever import Found
from knowledge.units import Unit, render_row

NEAR_BEST = 0.8  # units that score at least this share of the best are said as well,
NEAR_BEST_BESIDE = 0.45  # those of the same passage sooner
MAX_SENTENCES = 4
MAX_PASSAGES = 3
MAX_LIST = 12
LEADS = 2  # sentences that may stand before steps
REPEATED = 0.8  # share of words in common that makes a second sentence superfluous
NEAR_ROW = 0.9  # a second row only when both were asked for
DECIDES = 0.8  # share of what the best cell covers that a sentence must cover to stand for it
LISTED = 0.3  # share of the best a heading's list must score to be the list that was asked for

_DANGLING = re.compile(
    r"^(?:you also|it|its|they|them|their|this|that|these|those|he|she|if so|if not|otherwise|then|also|but"
    r"|and|however|instead|both|in that case|for example|after that|before that|until (?:that|then)|each"
    r"|the (?:new|same|old|following) \w+|others?|such"
    r"|esto|eso|estos|esos|además|también|pero|si no|después|por ejemplo)\b",
    re.IGNORECASE,
)
_END_MARK = re.compile(r"[.!?…:;]$")


@dataclass(frozen=True, slots=True)
class Part:
    """What is said of one passage, in this order; `columns` choose a table's, () for those asked for."""

    passage: Passage
    units: tuple[Unit, ...]
    columns: tuple[int, ...] = ()


def compose(
    found: Found, said: Sequence[Part], max_chars: int, first_number: int = 1
) -> tuple[str, tuple[Citation, ...]]:
    """Return the text and citations of what is said, at most `max_chars` characters.

    Citations count from `first_number`.
    """
    lines: list[str] = []
    citations: list[Citation] = []
    room = max_chars
    for part in said:
        known = [each.number for each in citations if each.passage_id == part.passage.id]
        number = known[0] if known else first_number + len(citations)
        text = _say(part, _wanted(found, part.passage), f" [{number}]", room)
        if not text:
            continue
        lines.append(text)
        room -= len(text) + 1
        if not known:
            citations.append(cite(number, part.passage, part.units))
    return "\n".join(lines), tuple(citations)


def named_parts(named: Sequence[Named]) -> list[Part]:
    """Return what is said of things asked for by name."""
    return [Part(each.passage, each.units, each.columns) for each in named]


def parts(found: Found, evidence: Evidence) -> list[Part]:
    """Return what is said, passage by passage: what leads with all that belongs to it first."""
    best = _lead(evidence)
    if best is None:
        return []
    chosen = _choose(evidence, best)
    order = sorted(chosen, key=lambda passage: (passage != best.passage, passage))
    return [
        Part(found.passages[each], _ordered(evidence, each, chosen[each], best)) for each in order
    ]


def cite(number: int, passage: Passage, units: Sequence[Unit]) -> Citation:
    """Return the citation of what was said of a passage; its link leads to the section."""
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


def _lead(evidence: Evidence) -> ScoredUnit | None:
    """Return the unit that answers best.

    For a list asked for it is of the list of that name; for yes or no a sentence that decides is
    better than a cell.
    """
    best = evidence.best
    if best is None:
        return None
    flat = [each for units in evidence.units for each in units]
    if evidence.ask.listed:
        near = [e for e in flat if e.figures["listed"] and e.score >= LISTED * best.score]
        return max(near, key=lambda each: each.score, default=best)
    if evidence.ask.yes_no and best.unit.kind == "row":
        decides = [
            each
            for each in evidence.units[best.passage]
            if each.unit.kind == "sentence"
            and each.figures["verdict"]
            and each.coverage >= DECIDES * best.coverage
        ]
        return max(decides, key=lambda each: each.score, default=best)
    return best


def _choose(evidence: Evidence, best: ScoredUnit) -> dict[int, set[int]]:
    """Return passage → places: the best unit's surroundings, then others that add something."""
    chosen = {best.passage: set(_belonging(evidence, best))}
    if best.figures["listed"]:
        return chosen
    said = _words(evidence, chosen)
    sentences = sum(
        evidence.units[best.passage][place].unit.kind == "sentence"
        for place in chosen[best.passage]
    )
    rivals = sorted(
        (each for units in evidence.units for each in units), key=lambda each: -each.score
    )
    for rival in rivals:
        if sentences >= MAX_SENTENCES:
            break
        if rival.place in chosen.get(rival.passage, ()) or not _may_follow(rival, best):
            continue
        if rival.passage not in chosen and len(chosen) >= MAX_PASSAGES:
            continue
        own = set(terms(rival.unit.text))
        if not own or len(own & said) / len(own) >= REPEATED:
            continue
        chosen.setdefault(rival.passage, set()).update(_belonging(evidence, rival))
        said = _words(evidence, chosen)
        sentences += 1
    return chosen


def _may_follow(rival: ScoredUnit, best: ScoredUnit) -> bool:
    if rival.unit.kind == "code" or rival.figures["points"]:
        return False
    near = NEAR_BEST_BESIDE if rival.passage == best.passage else NEAR_BEST
    if rival.unit.kind == "step" and best.unit.kind == "step":
        near = 1.0  # one way is enough
    if rival.unit.kind == "row":
        near = NEAR_ROW
    return rival.score >= near * best.score


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
    if unit.kind == "step" or (unit.kind == "item" and not picked.figures["listed"]):
        return _list_around(units, place)
    if picked.figures["listed"]:
        return _block(units, place)
    if unit.opens_list and place + 1 < len(units) and units[place + 1].kind != "sentence":
        return [place, *_list_around(units, place + 1)]
    if unit.kind == "code":
        return [place - 1, place] if place and units[place - 1].kind == "sentence" else [place]
    if unit.kind == "sentence":
        return _sentence_with(units, place, steps=evidence.ask.steps)
    return [place]


def _sentence_with(units: Sequence[Unit], place: int, *, steps: bool) -> list[int]:
    """Return a sentence with those before it that it leans on, and its steps when they are asked for."""
    first = place
    while first > 0 and _DANGLING.match(units[first].text) and place - first < 2:
        if units[first - 1].kind != "sentence":
            break
        first -= 1
    places = list(range(first, place + 1))
    listed = next((at for at, unit in enumerate(units) if unit.kind == "step"), None)
    if steps and listed is not None:
        places = sorted({*places, *_list_around(units, listed)})
    return places


def _block(units: Sequence[Unit], place: int) -> list[int]:
    """Return the places of the whole list or table a unit stands in, with the sentence that opens it."""
    kind, block = units[place].kind, units[place].block
    places = [at for at, unit in enumerate(units) if (unit.kind, unit.block) == (kind, block)]
    opened = places[0] > 0 and units[places[0] - 1].opens_list
    return [*([places[0] - 1] if opened else []), *places[:MAX_LIST]]


def _list_around(units: Sequence[Unit], place: int) -> list[int]:
    kind = units[place].kind
    if kind == "item" and not _is_opened(units, place):
        return [place]
    places = _block(units, place)
    if kind == "step":
        # what must be known before the first step: "Only an Owner can cancel."
        before = [at for at in range(places[0] - LEADS, places[0]) if at >= 0]
        places = [at for at in before if units[at].kind == "sentence"] + places
    return places


def _is_opened(units: Sequence[Unit], place: int) -> bool:
    first = _block(units, place)[0]
    return units[first].kind == "sentence"


def _ordered(
    evidence: Evidence, passage: int, places: Iterable[int], best: ScoredUnit
) -> tuple[Unit, ...]:
    """Return units in document order; the deciding sentence first when it can stand there."""
    order = sorted(places)
    units = [each.unit for each in evidence.units[passage]]
    leads = passage == best.passage and best.unit.kind == "sentence" and evidence.ask.yes_no
    if leads and best.place in order and not _DANGLING.match(best.unit.text):
        rest = [at for at in order if at != best.place]
        after = rest and _DANGLING.match(units[rest[0]].text) and best.place + 1 != rest[0]
        leaning = best.place + 1 in rest and _DANGLING.match(units[best.place + 1].text)
        if not after and (not leaning or rest[0] == best.place + 1):
            order = [best.place, *rest]
    return tuple(units[at] for at in order)


def _wanted(found: Found, passage: Passage) -> tuple[set[str], set[str]]:
    """Return the words of the last turn and those of the turn it leans on."""
    query = found.query
    before = terms(query.subject, passage.locale) if query.leans else []
    return set(terms(query.last, passage.locale)), set(before)


def _say(part: Part, wanted: tuple[set[str], set[str]], mark: str, room: int) -> str:
    """Return the units as text within `room`, the mark at the end of each line."""
    many = sum(unit.kind == "row" for unit in part.units) > 1
    lines: list[str] = []
    prose: list[str] = []
    for unit in part.units:
        if unit.kind == "sentence":
            prose.append(unit.text)
            continue
        lines += [" ".join(prose)] if prose else []
        prose = []
        bullet = "- " if unit.kind == "row" and many else ""
        lines.append(f"{bullet}{_line(unit, wanted, part.columns)}")
    lines += [" ".join(prose)] if prose else []
    return "\n".join(_fitting(lines, mark, room))


def _fitting(lines: Sequence[str], mark: str, room: int) -> list[str]:
    """Return as many whole lines as there is room for, marked; of a first one too long its sentences."""
    kept: list[str] = []
    for line in lines:
        marked = line if line.endswith(":") and line is not lines[-1] else f"{line}{mark}"
        if len(marked) + 1 > room:
            break
        kept.append(marked)
        room -= len(marked) + 1
    if not kept and lines and room > 80:
        kept.append(f"{_shortened(lines[0], room - len(mark) - 1)}{mark}")
    if kept and kept[-1].endswith(":") and len(kept) < len(lines):
        kept.pop()  # announces a list there was no room for
    return kept


def _shortened(text: str, room: int) -> str:
    """Return the text's first sentences that fit, else its first words."""
    end = max((found.end() for found in re.finditer(r"[.!?](?=\s|$)", text[:room])), default=0)
    return text[:end] if end else f"{text[: room - 1].rsplit(' ', 1)[0]}…"


def _line(unit: Unit, wanted: tuple[set[str], set[str]], columns: tuple[int, ...]) -> str:
    if unit.kind == "step":
        return f"{unit.number}. {unit.text}"
    if unit.kind == "item":
        return f"- {unit.text}"
    if unit.kind == "row":
        return _ended(render_row(unit.header, unit.cells, columns or _columns(unit, wanted)))
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


def _ended(text: str) -> str:
    return text if _END_MARK.search(text) else f"{text}."
