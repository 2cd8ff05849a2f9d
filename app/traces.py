"""What one trace id explains: understood, retrieved, decided, checked, and how long each step took."""

from collections.abc import Mapping
from dataclasses import asdict

from app.thinking import Thought
from core.outcomes import Outcome
from core.pii import find, mask
from core.speaking import model_json
from core.turns import Verdict
from core.understanding import Understanding


def understanding_json(understood: Understanding) -> dict[str, object]:
    """Return the public shape (design §8)."""
    plain = asdict(understood)
    plain["times"] = [
        {
            "text": t.text,
            "start": t.start,
            "end": t.end,
            "value": t.value.isoformat(),
            "grain": t.grain,
            "until": t.until.isoformat() if t.until else None,
        }
        for t in understood.times
    ]
    return plain


def checks_json(verdicts: tuple[Verdict, ...]) -> list[dict[str, object]]:
    """Return the public shape: texts of rewrites are left out."""
    return [
        {
            "name": v.check,
            "direction": v.direction,
            "verdict": v.verdict,
            "score": round(v.score, 4),
            "reason": v.reason,
            "limits": list(v.limits),
        }
        for v in verdicts
    ]


def passages_json(outcome: Outcome) -> list[dict[str, object]]:
    """Return the passages the outcome leaned on."""
    return [
        {
            "document": p.document,
            "title": p.title,
            "section": p.section,
            "score": round(p.score, 4),
            "text": p.text,
        }
        for p in outcome.sources
    ]


def trace_of(thought: Thought, extra: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return a turn's trace as JSON."""
    outcome = thought.outcome
    return {
        "understanding": understanding_json(thought.turn.understanding),
        "query": outcome.query or thought.turn.text,
        "passages": passages_json(outcome),
        "decision": asdict(outcome.decision),
        "handler": outcome.handler,
        "mode": thought.mode,
        "effects": [type(e).__name__ for e in outcome.effects],
        "refused": [r.code for r in thought.turn.refused],
        "reply": {"text": outcome.text, "citations": [asdict(c) for c in outcome.citations]},
        "generated": outcome.generated,
        "model": model_json(thought.calls, used=outcome.generated),
        "checks": checks_json((*thought.incoming.verdicts, *thought.outgoing.verdicts)),
        "limits": sorted(thought.turn.limits),
        "timings_ms": {s.name: s.milliseconds for s in thought.steps},
        **dict(outcome.trace),
        **(extra or {}),
    }


# What the documents say stays: it is no customer's.
_DOCUMENTED = frozenset({"passages", "citations"})


def exported(trace: Mapping[str, object], numbers: Mapping[str, str]) -> dict[str, object]:
    """Return a trace as it leaves the house: personal data in what was asked and answered is masked.

    `numbers` are the tenant's own kinds (core/pii/shapes.py). Documents' passages and citations stay as they are.
    """

    def clean(value: object) -> object:
        if isinstance(value, str):
            return mask(value, find(value, numbers))
        if isinstance(value, Mapping):
            return {k: v if k in _DOCUMENTED else clean(v) for k, v in value.items()}
        return [clean(each) for each in value] if isinstance(value, list | tuple) else value

    return {key: value if key in _DOCUMENTED else clean(value) for key, value in trace.items()}
