"""What one pass over a message found out. Scores are floats in [0, 1] unless said otherwise."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Scored:
    """A name with its score in [0, 1]."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A date or time spoken of.

    `start`/`end` are character offsets; `grain` is `day|hour|minute|part|week|month`.
    `until` is the exclusive end of a range where the phrase names one ("next week", "in the afternoon").
    """

    text: str
    start: int
    end: int
    value: datetime
    grain: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Understanding:
    """One message understood. `sentiment` in [-1, 1]; `intent` None is "none of these".

    `language` is an ISO 639-1 code; `asks_human` is True when the message as a whole asks for a person.
    """

    language: str = "en"
    intent: Scored | None = None
    sentiment: float = 0.0
    anger: float = 0.0
    abuse: float = 0.0
    legal_threat: float = 0.0
    cancel_intent: float = 0.0
    safety: float = 0.0
    injection: float = 0.0
    asks_human: bool = False
    not_helped: float = 0.0
    times: tuple[TimeSpan, ...] = ()
    degraded: bool = False


Role = Literal["customer", "bot", "human"]


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier utterance of the talk."""

    role: Role
    text: str
