"""One past question thought through as a customer's would be, and compared with the human's answer.

Owns what agreement is. Sends and writes nothing; whatever goes wrong with a question is noted in its
row and the others go on.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.backtest.questions import PastQuestion
from core.errors import ServiceError
from core.pii import mask

logger = logging.getLogger(__name__)

AGREES = 0.5
ACTIONS = ("answer", "ask_back", "decline", "handoff", "other", "failed")
DEFINITION = (
    "Agreement compares the bot's answer with the person's, both ways, by the grounding score of POST /check in"
    " [0, 1]: `covered` is how far the bot's answer supports what the person said, `said` how far the person's"
    " answer supports what the bot said. The larger one is the agreement, since either may say more than the"
    f" other; from {AGREES} on the two agree. Questions without a human answer, or that the bot would not"
    " answer, are not compared. The score goes by words, numbers and meaning: a right answer in quite other"
    " words scores low, so read it as a lower bound, and the rows before you judge."
)

Explain = Callable[[str], Awaitable[Mapping[str, Any]]]
Support = Callable[[str, Sequence[str]], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Judge:
    """Thinks about questions. `explain` answers as POST /explain does, `support` scores in [0, 1]."""

    explain: Explain
    support: Support

    async def row(self, number: int, question: PastQuestion) -> dict[str, Any]:
        """Return what would happen, PII masked; `action` is `failed` with a code when thinking failed."""
        asked: dict[str, Any] = {
            "n": number,
            "question": mask(question.text),
            "topic": question.topic,
            "human_answer": mask(question.answer) if question.answer else None,
        }
        try:
            return {**asked, **await self._thought(question)}
        except ServiceError as error:
            code = error.code
        except Exception as error:
            # one odd question must not cost the others
            logger.exception("backtest.question_failed", extra={"n": number})
            code = type(error).__name__
        return {**asked, "action": "failed", "error": code, "confidence": 0.0, "reasons": []}

    async def _thought(self, question: PastQuestion) -> dict[str, Any]:
        seen = await self.explain(question.text)
        decision, reply = seen["decision"], seen["reply"]
        action = str(decision["action"])
        row: dict[str, Any] = {
            "action": action if action in ACTIONS else "other",
            "handler": seen["handler"],
            "confidence": decision["confidence"],
            "reasons": list(decision["reasons"]),
            "reply": mask(reply["text"] or ""),
            "citations": [
                {key: c.get(key) for key in ("title", "section", "url", "document")}
                for c in reply["citations"]
            ],
            "nearest": [
                {key: p[key] for key in ("title", "section", "document", "score")}
                for p in seen["passages"][:3]
            ],
        }
        if question.answer:
            row |= await self._compared(action, question.answer, seen)
        return row

    async def _compared(
        self, action: str, human: str, seen: Mapping[str, Any]
    ) -> dict[str, float | bool]:
        passages = [str(p["text"]) for p in seen["passages"][:5]]
        in_docs = await self.support(human, passages) >= AGREES if passages else False
        reply = str(seen["reply"]["text"] or "")
        if action != "answer" or not reply:
            return {"in_docs": in_docs}
        said = await self.support(reply, [human])
        covered = await self.support(human, [reply])
        return {
            "in_docs": in_docs,
            "said": round(said, 3),
            "covered": round(covered, 3),
            "agreement": round(max(said, covered), 3),
        }
