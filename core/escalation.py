"""When a person must come in, decided from what was understood (design §4). Pure, so that it always works."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.conversations import HandoffReason
from core.effects import SetNote
from core.understanding import Understanding

THRESHOLDS: Mapping[str, float] = {
    "anger": 0.6,
    "sentiment": -0.6,
    "legal_threat": 0.5,
    "safety": 0.5,
}

# From then on nothing is remembered, offered or asked about satisfaction in this conversation.
IN_CRISIS = "crisis"
CRISIS = SetNote({IN_CRISIS: True})
# Set when we could only say elsewhere that an answer waits: whoever answers that gets a person.
UNDELIVERED = "undelivered"
_OWN_LINES = ("self_harm", "threat")


Severity = Literal["normal", "high", "urgent"]


@dataclass(frozen=True, slots=True)
class Escalation:
    """A reason to ask for a person, with how pressing it is and the peak that set it off."""

    reason: HandoffReason
    severity: Severity
    peak: float


def danger_line(understanding: Understanding) -> str:
    """Return the key of the line said to somebody whose message tells of a danger."""
    kind = understanding.safety_kind
    return f"handoff.safety_{kind}" if kind in _OWN_LINES else "handoff.safety"


def in_danger(understanding: Understanding, thresholds: Mapping[str, float]) -> bool:
    """Return whether a message tells of a danger to somebody."""
    return understanding.safety >= {**THRESHOLDS, **thresholds}["safety"]


def due(
    understanding: Understanding,
    memory: Mapping[str, object],
    thresholds: Mapping[str, float],
) -> Escalation | None:
    """Return why a person is needed now, or None.

    One reason does not fire again after hand-back without a new peak: `memory["peaks"]` holds reason → peak.
    Asking for a person always counts.
    """
    limit = {**THRESHOLDS, **thresholds}
    found: list[Escalation] = []
    if in_danger(understanding, thresholds):
        found.append(Escalation(HandoffReason.SAFETY, "urgent", understanding.safety))
    if understanding.legal_threat >= limit["legal_threat"]:
        found.append(Escalation(HandoffReason.LEGAL_THREAT, "high", understanding.legal_threat))
    if understanding.anger >= limit["anger"] and understanding.sentiment <= limit["sentiment"]:
        found.append(Escalation(HandoffReason.ANGER, "high", understanding.anger))
    peaks = memory.get("peaks")
    known: Mapping[str, object] = peaks if isinstance(peaks, Mapping) else {}
    for escalation in found:
        before = known.get(escalation.reason)
        if not isinstance(before, float) or escalation.peak > before + 0.05:
            return escalation
    if understanding.asks_human:
        return Escalation(HandoffReason.ASKED, "normal", 1.0)
    return _let_down(understanding, memory)


def _let_down(understanding: Understanding, memory: Mapping[str, object]) -> Escalation | None:
    """Return why somebody must look at what we said before: it never arrived, or it did not help."""
    if memory.get(UNDELIVERED):
        return Escalation(HandoffReason.UNDELIVERABLE, "normal", 1.0)
    confidence = memory.get("last_confidence")
    if understanding.not_helped >= 0.5 and isinstance(confidence, float) and confidence < 0.5:
        return Escalation(HandoffReason.LOW_CONFIDENCE, "normal", understanding.not_helped)
    return None
