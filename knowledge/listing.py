"""What things of a kind there are, when the docs have a page for each: their titles as a list.

"Which integrations are there?" asks for the pages in the folder `integrations`. Owns finding such a
folder among what a wide search finds. Says only titles and each page's own first sentence.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.turns import Passage
from knowledge.asks import Ask
from knowledge.composing import Part
from knowledge.lexical import terms
from knowledge.units import Unit, cut

FEWEST = 3  # pages that make a list
MOST = 8


def page_parts(ask: Ask, passages: Sequence[Passage]) -> list[Part]:
    """Return one item a page of the folder that is named like the things asked for; [] for none."""
    if not ask.listed:
        return []
    pages: dict[str, Passage] = {}
    for passage in passages:
        if _is_in(passage.document, ask.listed[-1]):
            kept = pages.get(passage.document)
            if kept is None or (kept.section and not passage.section):
                pages[passage.document] = passage
    if len(pages) < FEWEST:
        return []
    return [Part(passage, (_item(passage),)) for passage in list(pages.values())[:MOST]]


def _is_in(document: str, noun: str) -> bool:
    folders = document.split("/")[:-1]
    return any(noun in terms(folder.replace("-", " ").replace("_", " ")) for folder in folders)


def _item(passage: Passage) -> Unit:
    """Return the page's title with the sentence that says what it is about."""
    units = cut(passage.text) if not passage.section else []
    first = next((unit for unit in units if unit.kind == "sentence"), None)
    if first is None:
        return Unit("item", passage.title, 0)
    return replace(first, kind="item", text=f"{passage.title}: {first.text}")
