"""When a person must come in, decided from what was understood (design §4). Pure, so that it always works."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.conversations import HandoffReason
from core.understanding import Understanding

THRESHOLDS: Mapping[str, float] = {
    "anger": 0.5,
    "sentiment": -0.6,
    "legal_threat": 0.7,
    "safety": 0.7,
}


@dataclass(frozen=True, slots=True)
class Escalation:
    """A reason to ask for a person, with how pressing it is and the peak that set it off."""

    reason: HandoffReason
    severity: Literal["normal", "high", "urgent"]
    peak: float


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
    if understanding.safety >= limit["safety"]:
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
    confidence = memory.get("last_confidence")
    if understanding.not_helped >= 0.5 and isinstance(confidence, float) and confidence < 0.5:
        return Escalation(HandoffReason.LOW_CONFIDENCE, "normal", understanding.not_helped)
    return None
