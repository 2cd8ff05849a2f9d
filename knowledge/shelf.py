"""Which heads serve: those of the package, replaced by name from a folder, swapped whole and at once.

Owns reading, trying and swapping heads, and a second set in the shadow that scores the same pass and is only
compared. Not here: the format (knowledge/linear.py), what scores mean (knowledge/understanding.py).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import MisconfiguredError
from knowledge.linear import ALL_HEADS, PLANTED, SENTIMENT, Blocks, LinearHead, load_head
from knowledge.planted import WIDTH as PLANTED_WIDTH

logger = logging.getLogger(__name__)

PACKAGED = Path(__file__).parent / "heads"
SHADOW = "shadow"
# Two heads agree on a message when they fall on the same side of this; moods when they differ by less than it.
HALF = 0.5
_ZEROS = np.zeros((1, 4, 384), np.float32)


@dataclass(slots=True)
class Agreement:
    """How often a head in the shadow said the same as the one that serves."""

    seen: int = 0
    same: int = 0


@dataclass(frozen=True, slots=True)
class HeadSet:
    """Heads by name, and those in their shadow; never changed, only replaced."""

    heads: Mapping[str, LinearHead]
    shadow: Mapping[str, LinearHead] = field(default_factory=dict)

    def versions(self) -> tuple[str, ...]:
        """Return `name@version` of every serving head, by name."""
        return tuple(f"{name}@{self.heads[name].version}" for name in sorted(self.heads))


class Shelf:
    """The heads of one process. `folder` may hold NAME.npz that replace packaged ones, and `shadow/NAME.npz`."""

    def __init__(
        self, folder: Path | None = None, packaged: Path = PACKAGED, *, shadow: bool = True
    ) -> None:
        """Read all heads. Raises MisconfiguredError when one is missing, broken or of the wrong width."""
        self._folder = folder
        self._packaged = packaged
        self._shadow = shadow
        self.agreement: dict[str, Agreement] = {}
        self.current = self._read()

    def reload(self) -> HeadSet:
        """Read the folder again and swap at once; a broken file changes nothing.

        Raises MisconfiguredError naming it.
        """
        fresh = self._read()
        self.agreement = {}
        self.current = fresh
        return fresh

    def agreed(self, name: str) -> Agreement:
        """Return how a shadow head has compared since the last reload."""
        return self.agreement.get(name, Agreement())

    def count(self, name: str, served: float, shadowed: float) -> None:
        """Count whether a shadow head agreed with the serving one on a message."""
        kept = self.agreement.setdefault(name, Agreement())
        kept.seen += 1
        apart = abs(served - shadowed) >= HALF
        kept.same += not apart if name == SENTIMENT else (served >= HALF) == (shadowed >= HALF)

    def _read(self) -> HeadSet:
        heads = {name: load_head(self._packaged / f"{name}.npz") for name in ALL_HEADS}
        shadow: dict[str, LinearHead] = {}
        if self._folder is not None:
            heads |= _found(self._folder)
            shadow = _found(self._folder / SHADOW) if self._shadow else {}
        for name, head in (*heads.items(), *shadow.items()):
            _try(name, head)
        return HeadSet(heads, shadow)


def _found(folder: Path) -> dict[str, LinearHead]:
    files = {name: folder / f"{name}.npz" for name in ALL_HEADS}
    return {name: load_head(file) for name, file in files.items() if file.is_file()}


def _try(name: str, head: LinearHead) -> None:
    """Score one text, so that a head made for other features fails here and not on a customer's message."""
    classes = 3 if name == SENTIMENT else 1
    try:
        width = (
            PLANTED_WIDTH if name == PLANTED else Blocks([""], _ZEROS).take(head.blocks).shape[1]
        )
    except KeyError as error:
        raise MisconfiguredError(
            f"head {name!r} looks at what is not made here: {error}"
        ) from error
    if head.weights.shape != (classes, width):
        raise MisconfiguredError(
            f"head {name!r} has shape {head.weights.shape!r}, not {(classes, width)!r}"
        )
