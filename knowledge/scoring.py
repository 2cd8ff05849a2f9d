"""What every head says of one message, from one batch of the encoder.

Owns which pieces of a long message a head looks at and the comparison with heads in the shadow.
Not here: what words add (knowledge/understanding.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from knowledge.encoder import Encoded
from knowledge.linear import INJECTION, PLANTED, SENTIMENT, Blocks, Floats, LinearHead
from knowledge.planted import FEWEST, planted_features
from knowledge.shelf import Shelf
from knowledge.windows import windows

# A long message is judged by its most telling part, not by its average.
PART = 320
MOST_PARTS = 6


@dataclass(frozen=True, slots=True)
class Pieces:
    """A message's parts of some lines, and its sentences; each empty for a text too short to have them."""

    parts: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Head → score; `planted` apart; `earlier` moods of the talk; `shadow` what is only compared."""

    scores: Mapping[str, float] = field(default_factory=dict)
    planted: float = 0.0
    earlier: tuple[float, ...] = ()
    heads: tuple[str, ...] = ()
    shadow: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str) -> float:
        """Return a head's score, 0 for a text without words."""
        return self.scores.get(name, 0.0)


class Scoring:
    """Scores messages with the heads that stand on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def score(self, texts: Sequence[str], pieces: Pieces, encoded: Encoded) -> Scores:
        """Return the scores of `texts`: the message, its parts, its sentences, earlier messages. Blocking."""
        current = self._shelf.current
        own = 1 + len(pieces.parts)
        told = own + len(pieces.sentences)
        blocks = Blocks(texts[:own], encoded.layers[:own])
        before = Blocks(texts[told:], encoded.layers[told:])
        vectors = encoded.vectors[own:told]

        def of(name: str, head: LinearHead) -> float:
            if name == PLANTED:
                return _planted(head, texts[0], pieces.sentences, vectors)
            rows = head.score(blocks.take(head.blocks))
            # what stands in a part of a long text is for `planted`, which knows the rest of it
            alone = name == INJECTION and pieces.sentences
            return _whole(name, rows[:1] if alone else rows)

        scores = {name: of(name, head) for name, head in current.heads.items()}
        earlier: Floats = np.zeros(0, np.float32)
        if len(texts) > told:
            mood = current.heads[SENTIMENT]
            earlier = mood.score(before.take(mood.blocks))
        return Scores(
            scores,
            scores[PLANTED],
            tuple(round(float(each), 4) for each in earlier),
            current.versions(),
            self._compare(current.shadow, scores, of),
        )

    def _compare(
        self,
        shadow: Mapping[str, LinearHead],
        scores: Mapping[str, float],
        of: Callable[[str, LinearHead], float],
    ) -> dict[str, float]:
        found = {}
        for name, head in shadow.items():
            found[name] = round(of(name, head), 4)
            self._shelf.count(name, scores[name], found[name])
        return found


def _whole(name: str, rows: Floats) -> float:
    """Return one score from those of the whole text and its parts: the highest, the saddest."""
    if name != SENTIMENT:
        return float(rows.max())
    if rows[0] > 0 and len(rows) > 1:
        return float((rows[0] + rows.min()) / 2)
    return float(rows.min())


def _planted(head: LinearHead, text: str, sentences: Sequence[str], vectors: Floats) -> float:
    if len(sentences) < FEWEST:
        return 0.0
    return float(head.score(planted_features(text, sentences, vectors)).max())


def cut(text: str) -> Pieces:
    """Return a text's parts, cut at sentence ends where there are any, and its sentences."""
    sentences = windows(text)
    return Pieces(tuple(_parts(text)), tuple(sentences) if len(sentences) >= FEWEST else ())


def _parts(text: str) -> list[str]:
    if len(text) <= PART:
        return []
    pieces: list[str] = []
    rest = text
    while rest and len(pieces) < MOST_PARTS:
        end = max(rest.rfind(mark, 0, PART) for mark in ".!?\n")
        end = end + 1 if end > PART // 3 else PART
        pieces.append(rest[:end].strip())
        rest = rest[end:]
    return [piece for piece in pieces if piece]
