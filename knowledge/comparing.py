"""Two named things side by side, or one by itself: what tables and lists say under those names.

Owns finding the names in a table's columns or at the head of list items, over more passages than an
answer reads. Says only the docs' own words. Not here: recognising the question (knowledge/asks.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.turns import Passage
from knowledge.asks import Ask
from knowledge.lexical import terms
from knowledge.units import Unit, cut

MAX_ROWS = 6
_ABOUT = frozenset(
    terms(
        "difference compare plan versus change better tier edition role type include add offer get"
    )
)

Name = frozenset[str]
Columns = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Units of one passage that speak of the names; `columns` are those of a table, () for a list."""

    passage: Passage
    units: tuple[Unit, ...]
    columns: Columns = ()


def is_about_names(ask: Ask) -> bool:
    """Tell whether a question names what it wants described or compared."""
    return bool(ask.compared or ask.contents)


def find_named(question: str, ask: Ask, passages: Sequence[Passage]) -> tuple[Named, ...]:
    """Return a list's words on each name and the table that tells most; () when there is neither."""
    names = tuple(frozenset(terms(each)) for each in ask.compared or (ask.contents,))
    if not all(names):
        return ()
    focus = frozenset(terms(question)) - frozenset().union(*names) - _ABOUT
    cuts = [(passage, cut(passage.text)) for passage in passages]
    tables = [each for pair in cuts if (each := _table(*pair, names, focus)) is not None]
    best = max(tables, key=lambda pair: pair[0])[1] if tables else None
    lists = [listed for pair in cuts if (listed := _items(*pair, names, focus)) is not None]
    page = best.passage.document if best else ""
    items = next((e for e in lists if e.passage.document == page), lists[0] if lists else None)
    if best is None and items is not None and len(names) == 1:
        return ()  # one item of a list is no description; the usual way finds it
    return tuple(each for each in (items, best) if each is not None)


def _table(
    passage: Passage, units: Sequence[Unit], names: Sequence[Name], focus: Name
) -> tuple[float, Named] | None:
    """Return how much a passage's table tells of the names, and the rows to say."""
    rows = [each for each in units if each.kind == "row"]
    columns = _columns(rows[0].header, names) if rows else ()
    if not columns:
        return None
    differs = _differing(columns)
    telling = [each for each in rows if differs(each.cells)]
    asked = [each for each in telling if focus & set(terms(each.cells[0], passage.locale))]
    about = len(focus & set(terms(f"{passage.title} {passage.section}", passage.locale)))
    if not telling or (focus and not asked and not about):
        return None
    said = tuple(telling if about or not asked else asked)[:MAX_ROWS]
    weight = 20.0 * about + 10.0 * bool(asked) + min(len(telling), 2 * MAX_ROWS) + passage.score
    return weight, Named(passage, said, columns)


def _columns(header: Sequence[str], names: Sequence[Name]) -> Columns:
    """Return the columns of all names, () when one is missing."""
    places: list[int] = []
    for name in names:
        hits = [
            column
            for column, title in enumerate(header)
            if column and (own := set(terms(title))) and (own <= name or name <= own)
        ]
        places.extend(hits[:1])
    return tuple(places) if len(set(places)) == len(names) else ()


def _differing(columns: Columns) -> Callable[[Sequence[str]], bool]:
    """Return what tells whether a row sets the columns apart; one column from its left neighbour."""
    first, last = (
        columns[0] - 1 if len(columns) == 1 and columns[0] > 1 else columns[0],
        columns[-1],
    )

    def differs(cells: Sequence[str]) -> bool:
        if max(first, last) >= len(cells):
            return False
        return first == last or cells[first] != cells[last]

    return differs


def _items(
    passage: Passage, units: Sequence[Unit], names: Sequence[Name], focus: Name
) -> Named | None:
    """Return the list items that begin with each name, when their page is about what was asked."""
    if focus and not focus & set(terms(f"{passage.title} {passage.section}", passage.locale)):
        return None
    found: list[Unit] = []
    for name in names:
        found.extend([e for e in units if e.kind == "item" and _is_headed(e.text, name)][:1])
    return Named(passage, tuple(found)) if len(set(found)) == len(names) else None


def _is_headed(text: str, name: Name) -> bool:
    return frozenset(terms(text)[: len(name)]) == name
