"""Whether a customer's mood rises or falls over a talk."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.understanding import Satisfaction

# Change per message from which a mood is said to move; the scores of one mood scatter by about half of it.
MOVES = 0.12


def satisfaction(moods: Sequence[float]) -> Satisfaction:
    """Return last, mean and slope (least squares, per message) of moods in [-1, 1], oldest first, at least one."""
    slope = 0.0
    if len(moods) > 1:
        slope = float(np.polyfit(np.arange(len(moods)), np.asarray(moods, float), 1)[0])
    trend: Literal["rising", "steady", "falling"] = "steady"
    if abs(slope) >= MOVES:
        trend = "rising" if slope > 0 else "falling"
    return Satisfaction(
        round(float(moods[-1]), 4), round(float(np.mean(moods)), 4), round(slope, 4), trend
    )
