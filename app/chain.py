"""Run checks in declared order: stop on block, carry rewrites on, collect every verdict."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext, Checked
from core.turns import Verdict

logger = logging.getLogger(__name__)

_TIMEOUT = 5.0


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

    async def _run(self, direction: str, text: str, context: CheckContext) -> Checked:
        verdicts: list[Verdict] = []
        for check in self._checks:
            if check.direction not in (direction, "both"):
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
