"""What one pass over a message found out. Scores are floats in [0, 1] unless said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


SafetyKind = Literal["", "self_harm", "threat", "danger"]


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How the customer's mood moves over the talk: `last` and `mean` in [-1, 1], `slope` per message.

    Of the last messages only, this one included.
    """

    last: float
    mean: float
    slope: float
    trend: Literal["rising", "steady", "falling"]


@dataclass(frozen=True, slots=True)
class Understanding:
    """One message understood. `sentiment` in [-1, 1], neutral between -1/3 and 1/3; `intent` None is "none of these".

    `language` is an ISO 639-1 code; `asks_human` is True when the message as a whole asks for a person.
    `safety_kind` says what kind of danger, once `safety` is 0.5 or more. `heads` are the heads that scored,
    `name@version`; `shadow` the scores of heads that are only being compared.
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
    urgency: float = 0.0
    safety_kind: SafetyKind = ""
    satisfaction: Satisfaction | None = None
    heads: tuple[str, ...] = ()
    shadow: Mapping[str, float] = field(default_factory=dict)


Role = Literal["customer", "bot", "human"]


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier utterance of the talk."""

    role: Role
    text: str
