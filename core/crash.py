"""Places where a test may kill the process, to prove that nothing is lost or doubled there.

Off unless `USHER_CRASH_POINT=name[:probability]` is set when the process starts (read by compose through its
settings section); then reaching that point is `kill -9` of oneself.
"""

import os
import random
import signal

_armed: dict[str, float] = {}


def arm(spec: str) -> None:
    """Arm points from `name:probability,name…`; probability defaults to 1."""
    for part in filter(None, spec.split(",")):
        name, _, chance = part.partition(":")
        _armed[name] = float(chance or 1)


def crash_point(name: str) -> None:
    """Die here if the point is armed and the dice say so."""
    chance = _armed.get(name)
    if chance is not None and random.random() < chance:  # noqa: S311 - dice, not a secret
        os.kill(os.getpid(), signal.SIGKILL)
