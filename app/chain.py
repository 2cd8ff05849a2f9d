"""Run checks in declared order: stop on block, carry rewrites on, collect every verdict."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Literal

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext, Checked, Outcome
from core.turns import Citation, Verdict

logger = logging.getLogger(__name__)

_TIMEOUT = 5.0
# What stands beside a reply comes from documents: it is judged for what documents can carry.
LABELLED = frozenset({"secrets", "recited", "authority", "links"})
QUOTED = LABELLED | {"pii", "grounding"}


class Chain:
    """The checks of one process.

    A check that fails or hangs blocks on the way out and passes on the way in: nothing unchecked reaches a
    customer, and no broken check loses a customer's message.
    """

    def __init__(self, checks: Iterable[CheckSpec], ports: CheckPorts) -> None:
        self._checks = sorted(checks, key=lambda check: (check.order, check.name))
        self._ports = ports

    async def incoming(self, text: str, context: CheckContext) -> Checked:
        """Run the checks for text that came in."""
        return await self._run("in", text, context)

    async def outgoing(self, text: str, context: CheckContext) -> Checked:
        """Run the checks for text that is to go out."""
        return await self._run("out", text, context)

    async def beside(self, outcome: Outcome, context: CheckContext) -> Outcome:
        """Return the outcome with what is shown beside its text checked as well: quotes, titles, options.

        A quote or an option that does not pass goes; a title that does not pass becomes its number.
        """
        citations = await asyncio.gather(*[self._citation(c, context) for c in outcome.citations])
        options = [
            reply
            for reply in outcome.quick_replies
            if await self._label(reply.label, context) == reply.label
        ]
        return replace(outcome, citations=tuple(citations), quick_replies=tuple(options))

    async def _citation(self, citation: Citation, context: CheckContext) -> Citation:
        mark = f" [{citation.number}]"
        outcome = context.outcome and replace(context.outcome, citations=(citation,))
        alone = replace(context, outcome=outcome)
        quote = await self._run("out", citation.quote + mark, alone, QUOTED)
        return replace(
            citation,
            quote=(quote.text or "").removesuffix(mark.strip()).strip(),
            title=await self._label(citation.title, alone) or str(citation.number),
            section=await self._label(citation.section, alone),
        )

    async def _label(self, text: str, context: CheckContext) -> str:
        """Return a title as it may be shown, or nothing: half a title says nothing.

        Whatever the outcome, it is judged as a model's words: titles of documents stand in options, too.
        """
        outcome = context.outcome and replace(context.outcome, generated=True)
        context = replace(context, outcome=outcome)
        checked = await self._run("out", text, context, LABELLED) if text else None
        return text if checked is not None and checked.text == text else ""

    async def judge(
        self, direction: Literal["in", "out"], text: str, context: CheckContext
    ) -> tuple[Verdict, ...]:
        """Return what every check says of the text as it is: none stops another, no rewrite is carried on."""
        checks = [check for check in self._checks if check.direction in (direction, "both")]
        return tuple([await self._one(check, direction, text, context) for check in checks])

    async def _run(
        self, direction: str, text: str, context: CheckContext, only: Collection[str] = ()
    ) -> Checked:
        verdicts: list[Verdict] = []
        for check in self._checks:
            if check.direction not in (direction, "both") or (only and check.name not in only):
                continue
            verdict = await self._one(check, direction, text, context)
            verdicts.append(verdict)
            if verdict.verdict == "block":
                return Checked(None, tuple(verdicts))
            if verdict.verdict == "rewrite" and verdict.text is not None:
                text = verdict.text
        return Checked(text, tuple(verdicts))

    async def _one(
        self, check: CheckSpec, direction: str, text: str, context: CheckContext
    ) -> Verdict:
        try:
            async with asyncio.timeout(_TIMEOUT):
                verdict = await check.run(text, context, self._ports)
        except Exception:
            logger.exception("check.failed", extra={"check": check.name})
            verdict = Verdict(
                check=check.name,
                verdict="block" if direction == "out" else "pass",
                reason="check_failed",
            )
        return replace(verdict, check=check.name, direction="out" if direction == "out" else "in")
