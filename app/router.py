"""One turn: claim, think with no transaction open, commit. Failures end with a person, never with silence."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from app.thinking import ROLES, Thinker, Thought, result_of
from app.traces import trace_of
from core.clock import Clock
from core.conversations import HandoffReason, Status
from core.effects import Escalate, RefusedEffect, SetForm
from core.errors import UnavailableError
from core.ids import ConversationId, InboxId, TurnId, new_id
from core.logs import log_context
from core.messages import Author, MessageKind
from core.outcomes import Outcome, Turn
from core.ports import (
    Claim,
    Committed,
    Fanout,
    Lines,
    Metrics,
    Preview,
    Reply,
    Superseded,
    TenantPolicy,
    TurnResult,
    UnitOfWork,
    Wakeups,
    Window,
)
from core.turns import Citation, Passage
from core.understanding import Said

logger = logging.getLogger(__name__)

_RENEW_EVERY = 10.0
_ATTEMPTS = 3
_RETRY_IN = 5.0
_LONGEST_REASON = 40


class Router:
    """Runs turns. Any number of routers, in any number of processes, may share one database."""

    def __init__(
        self,
        turns: UnitOfWork,
        thinker: Thinker,
        lines_for: Callable[[TenantPolicy], Lines],
        fanout: Fanout,
        wakeups: Wakeups,
        metrics: Metrics,
        clock: Clock,
        renew_every: float = _RENEW_EVERY,
        window: Window | None = None,
    ) -> None:
        self._turns = turns
        self._thinker = thinker
        self._lines_for = lines_for
        self._fanout = fanout
        self._wakeups = wakeups
        self._metrics = metrics
        self._clock = clock
        self._renew_every = renew_every
        self._window = window

    async def run(self, conversation: ConversationId) -> bool:
        """Run the conversation's next turn; False when there was none to run. Never raises for one turn's fault."""
        try:
            claim = await self._turns.claim(conversation)
        except UnavailableError:
            return False
        if claim is None:
            return False
        with log_context(conversation=conversation, channel=claim.messages[-1].channel):
            started = time.perf_counter()
            state = "failed"
            try:
                state = await self._hold(claim)
            except UnavailableError:
                # the lease runs out and the sweep finds the work; say so and go on
                logger.warning("turn.postponed")
            except Exception:
                logger.exception("turn.failed")
                with contextlib.suppress(UnavailableError):
                    await self._turns.release(claim, _RETRY_IN)
            spent = time.perf_counter() - started
            self._metrics.count("turns", state=state)
            self._metrics.observe("turn_seconds", spent)
            logger.info("turn.handled", extra={"state": state, "ms": round(spent * 1000)})
        return True

    async def _hold(self, claim: Claim) -> str:
        """Think and commit while a second task keeps the lease; losing it ends the thinking."""
        thinking = asyncio.ensure_future(self._turn(claim))
        lease = asyncio.create_task(self._renew(claim, thinking), name="turn.lease")
        try:
            return await thinking
        except asyncio.CancelledError:
            if lease.done() and not lease.cancelled():
                return "lease_lost"
            raise
        finally:
            lease.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await lease

    async def _renew(self, claim: Claim, thinking: "asyncio.Future[str]") -> None:
        while True:
            await asyncio.sleep(self._renew_every)
            with contextlib.suppress(UnavailableError):
                if not await self._turns.renew(claim):
                    thinking.cancel()
                    return

    async def _turn(self, claim: Claim) -> str:
        refused: tuple[RefusedEffect, ...] = ()
        turn_id = TurnId(new_id("trn", self._clock.now()))
        for attempt in range(_ATTEMPTS):
            preview = _Drafts(self, claim, turn_id)
            result = await self._think(claim, turn_id, refused, preview)
            if attempt == _ATTEMPTS - 1 and refused:
                result = self._give_up(claim, turn_id, HandoffReason.EFFECT_REFUSED, refused)
            outcome = await self._turns.commit(result)
            if isinstance(outcome, RefusedEffect):
                refused = (*refused, outcome)
                await preview.end("refused")
                continue
            return await self._tell(claim, result, outcome, preview)
        raise RuntimeError("a handoff was refused")

    async def _think(
        self,
        claim: Claim,
        turn_id: TurnId,
        refused: tuple[RefusedEffect, ...],
        preview: "_Drafts",
    ) -> TurnResult:
        try:
            thought = await self._thinker.think(claim, turn_id, refused, preview.of)
        except UnavailableError:
            logger.warning("turn.dependency_down")
            return self._give_up(claim, turn_id, HandoffReason.HANDLER_FAILED, refused)
        except Exception:
            # whatever a plug-in raises: the customer is told and a person comes
            logger.exception("handler.failed")
            return self._give_up(claim, turn_id, HandoffReason.HANDLER_FAILED, refused)
        self._count(thought)
        return result_of(thought, claim, trace_of(thought, {"attempts": len(refused) + 1}))

    def _count(self, thought: Thought) -> None:
        """Count what the checks said: codes alone, never what was found."""
        for verdict in (*thought.incoming.verdicts, *thought.outgoing.verdicts):
            self._metrics.count(
                "checks",
                check=verdict.check,
                direction=verdict.direction,
                verdict=verdict.verdict,
                reason=verdict.reason.partition(",")[0][:_LONGEST_REASON],
            )
        if thought.turn.limits:
            logger.info("turn.limits", extra={"limits": sorted(thought.turn.limits)})

    def _give_up(
        self,
        claim: Claim,
        turn_id: TurnId,
        reason: HandoffReason,
        refused: tuple[RefusedEffect, ...],
    ) -> TurnResult:
        """Return the turn that needs nothing to work: an honest line and a person."""
        newest = claim.messages[-1]
        locale = claim.conversation.locale or claim.policy.locale
        silent = claim.conversation.owner is not None or claim.conversation.handoff is not None
        reply = Reply(
            text=self._lines_for(claim.policy).say(
                "pipeline.handoff_failed", locale, newest.channel
            ),
            kind=MessageKind.NOTICE,
            author=Author.BOT,
            channel=newest.channel,
            address=newest.address or "",
            inbox=newest.inbox or InboxId(""),
            subject=newest.subject,
            thread=newest.reply_thread(),
            references=newest.reply_references(),
            inline=newest.inline,
            locale=locale,
        )
        return TurnResult(
            turn_id=turn_id,
            claim=claim,
            handler="give_up",
            replies=() if silent else (reply,),
            effects=(Escalate(reason, "high"),),
            status=Status.WAITING_US,
            trace={
                "decision": {"action": "handoff", "confidence": 1.0, "reasons": [reason]},
                "refused": [r.code for r in refused],
            },
            started_at=self._clock.now(),
        )

    async def _tell(
        self,
        claim: Claim,
        result: TurnResult,
        outcome: Committed | Superseded,
        preview: "_Drafts",
    ) -> str:
        conversation = claim.conversation
        if isinstance(outcome, Superseded):
            await preview.end("superseded")
            logger.info("turn.dropped", extra={"reason": outcome.reason})
            return "dropped"
        if not any(m.kind is MessageKind.REPLY for m in outcome.messages):
            await preview.end("no_reply")
        await self._fanout.publish(
            f"conv:{conversation.id}", {"type": "turn", "turn_id": result.turn_id}
        )
        await self._fanout.publish(
            f"tenant:{conversation.tenant}",
            {"type": "conversation", "conversation_id": conversation.id},
        )
        await self._wakeups.wake("outbox", conversation.id)
        await self._remember(claim, result, outcome)
        for effect in result.effects:
            if isinstance(effect, Escalate):
                self._metrics.count("handoffs", reason=effect.reason)
        return "committed"

    async def _remember(self, claim: Claim, result: TurnResult, outcome: Committed) -> None:
        """Copy the talk's end and the running form to the cache; SQL stays the truth."""
        if self._window is None:
            return
        conversation = claim.conversation
        spoken = (*claim.history, *claim.messages, *outcome.messages)
        talk = [Said(ROLES[m.author], m.text) for m in spoken if m.author in ROLES]
        await self._window.put_window(conversation.tenant, conversation.id, talk)
        for effect in result.effects:
            if isinstance(effect, SetForm):
                form = asdict(effect.form) if effect.form else {}
                await self._window.put_form(conversation.tenant, conversation.id, form)

    async def draft(self, claim: Claim, turn: Turn, n: int, said: Outcome) -> bool:
        """Publish one preview sentence if it passes the checks and nobody has taken over."""
        passed = await self._thinker.sentence_passes(turn, said)
        if passed is None or not await self._turns.current(claim):
            return False
        await self._fanout.publish(
            f"conv:{claim.conversation.id}",
            {"type": "draft", "turn_id": turn.id, "n": n, "text": passed},
        )
        return True

    async def publish(self, claim: Claim, payload: dict[str, object]) -> None:
        """Publish to the conversation's listeners."""
        await self._fanout.publish(f"conv:{claim.conversation.id}", payload)


class _Drafts:
    """Preview sentences of one attempt at a turn."""

    def __init__(self, router: Router, claim: Claim, turn_id: TurnId) -> None:
        self._router = router
        self._claim = claim
        self._turn_id = turn_id
        self._shown = 0
        self._stopped = False

    def of(self, turn: Turn) -> Preview:
        """Return the port `Preview` for this turn."""
        return partial(self._show, turn)

    async def _show(
        self,
        turn: Turn,
        text: str,
        citations: Sequence[Citation] = (),
        sources: Sequence[Passage] = (),
    ) -> None:
        if self._stopped or not text.strip():
            return
        said = Outcome(
            text, "answer", citations=tuple(citations), sources=tuple(sources), generated=True
        )
        if await self._router.draft(self._claim, turn, self._shown, said):
            self._shown += 1
        else:
            self._stopped = True

    async def end(self, reason: str) -> None:
        """Take the preview away."""
        if self._shown:
            await self._router.publish(
                self._claim, {"type": "draft_end", "turn_id": self._turn_id, "reason": reason}
            )
            self._shown = 0
