"""From how much evidence on a message has one of the taught intents: found on the phrases themselves.

Some classes are left out in turn and play what nobody taught; some phrases of the others are left out and play
what customers will write. No message of a test set is ever looked at. Not here: the model (knowledge/intents.py).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from knowledge.intents import FEWEST_LIMIT, NONE, Floats, IntentModel

FOLDS = 3
# Each time other classes are together left out; one time alone gives a limit that depends on the dice.
TIMES = 2
# A class-holdout says little with fewer classes; 2 500 phrases say as much as 15 000, sooner.
FEWEST_CLASSES = 5
MOST_PHRASES = 2_500
ROUNDS = 25
# What a phrase understood is worth beside a stranger kept out. Whoever teaches intents wants them recognised;
# a handler's that is wrongly recognised does what nobody asked for.
KNOWN_SHARE = 0.65
SHARED_SHARE = 0.55
_GRID = np.linspace(0.01, 0.9, 90)


def find_limit(
    names: Sequence[str],
    features: Floats,
    owners: npt.NDArray[np.intp],
    strangers: Floats,
    known_share: float = KNOWN_SHARE,
) -> float:
    """Return the limit for a model of these phrases: features [n, 1152], `owners` [n] indices into `names`.

    `strangers` [m, 1152] are phrases known to be nobody's; they count where there are too few classes.
    `known_share` in (0, 1) is what a phrase understood is worth beside a stranger kept out.
    """
    dice = np.random.RandomState(11)
    keep = dice.permutation(len(owners))[:MOST_PHRASES]
    features, owners = features[keep], owners[keep]
    classes = [c for c in np.unique(owners) if names[c] != NONE]
    known: list[tuple[float, bool]] = []
    unknown: list[float] = []
    for left_out in _left_out(classes, dice):
        inside = np.flatnonzero(~np.isin(owners, left_out))
        outside = np.flatnonzero(np.isin(owners, left_out))
        mixed = dice.permutation(inside)
        asked, taught = mixed[: len(mixed) // 4], mixed[len(mixed) // 4 :]
        asked = asked[np.isin(owners[asked], owners[taught])]
        left, positions = np.unique(owners[taught], return_inverse=True)
        if len(left) < 2 or not len(asked):
            continue
        model = IntentModel.fit(
            [names[c] for c in left], features[taught], positions.astype(np.intp), 0.0, ROUNDS
        )
        for found, owner in zip(model.evidence(features[asked]), owners[asked], strict=True):
            known.append((found.sum, bool(left[found.winner] == owner)))
        away = np.vstack([features[outside], strangers if not len(outside) else strangers[:0]])
        if len(away):
            unknown += [found.sum for found in model.evidence(away)]
    return _best(known, unknown, known_share)


def _left_out(
    classes: Sequence[np.intp], dice: np.random.RandomState
) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the classes to leave out, each once every time; none where there are too few."""
    for _time in range(TIMES):
        order = dice.permutation(np.asarray(classes, np.intp))
        for fold in range(FOLDS):
            yield order[fold::FOLDS] if len(classes) >= FEWEST_CLASSES else order[:0]


def _best(
    known: Sequence[tuple[float, bool]], unknown: Sequence[float], known_share: float
) -> float:
    if not known or not unknown:
        return FEWEST_LIMIT
    sums = np.array([each for each, _ in known])
    right = np.array([each for _, each in known])
    strange = np.array(unknown)
    limits = np.quantile(np.concatenate([sums, strange]), _GRID)
    gains = [
        known_share * float((right & (sums >= limit)).mean())
        + (1 - known_share) * float((strange < limit).mean())
        for limit in limits
    ]
    return float(limits[int(np.argmax(gains))])
