"""Thinks one turn: checks in, understanding, handler, checks out. Changes nothing and sends nothing.

Used by the router for real turns and by `/explain` for imagined ones.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.chain import Chain
from app.hearing import heard, last_said, settled, zero_question
from core.briefs import follow_up
from core.clock import Clock
from core.contracts import Capabilities, Context, HandlerSpec
from core.conversations import HandoffReason, Mode, Status
from core.effects import (
    Effect,
    Escalate,
    OpenGap,
    RefusedEffect,
    Resolve,
    SetForm,
    SetLocale,
    SetNote,
    TellTeam,
)
from core.escalation import (
    CRISIS,
    IN_CRISIS,
    UNDELIVERED,
    Escalation,
    Severity,
    danger_line,
    due,
    in_danger,
)
from core.files import MAX_BYTES, REASONS
from core.ids import InboxId, TurnId
from core.messages import Assurance, Author, MessageKind, StoredMessage
from core.outcomes import CheckContext, Checked, Outcome, Turn
from core.ports import (
    Claim,
    Lines,
    ModelCall,
    Preview,
    Reply,
    TenantPolicy,
    TurnResult,
    Understands,
)
from core.privileges import NO_MEMORY, QUOTE_ONLY, Withheld, leaves_text_true, permitted
from core.speaking import Speaking, voice_of
from core.turns import Decision, Step
from core.understanding import Role, Said, Understanding

logger = logging.getLogger(__name__)

ROLES: Mapping[Author, Role] = {
    Author.CUSTOMER: "customer",
    Author.BOT: "bot",
    Author.CSM: "human",
}
_LOCALES = ("en", "es")
_HOPS = 3
_WORDS_TO_JUDGE_LANGUAGE = 3


@dataclass(slots=True)
class Thought:
    """What a turn came to, before anything is written."""

    turn: Turn
    outcome: Outcome
    incoming: Checked
    outgoing: Checked
    steps: list[Step] = field(default_factory=list)
    mode: Mode = Mode.AUTO
    calls: Sequence[ModelCall] = ()
    instead: str = ""  # what those who read along see of a private answer


class Thinker:
    """Runs the decisions of a turn against ports only."""

    def __init__(
        self,
        chain: Chain,
        understands: Understands,
        handlers: Mapping[str, HandlerSpec],
        context: Context,
        capabilities: Mapping[str, Capabilities],
        clock: Clock,
        handler_timeout: float = 25.0,
        lines_for: Callable[[TenantPolicy], Lines] | None = None,
    ) -> None:
        self._chain = chain
        self._understands = understands
        self._handlers = handlers
        self._by_intent = {i: h.name for h in handlers.values() for i in h.intents}
        self._context = context
        self._capabilities = capabilities
        self._clock = clock
        self._timeout = handler_timeout
        self._lines_for = lines_for or (lambda _policy: context.lines)

    async def think(
        self,
        claim: Claim,
        turn_id: TurnId,
        refused: tuple[RefusedEffect, ...] = (),
        preview: Callable[[Turn], Preview] | None = None,
        now: datetime | None = None,
        give_up: Callable[[Turn], Outcome] | None = None,
    ) -> Thought:
        """Return what to say and do.

        Raises what a handler or port raises, which the router turns into a person; with `give_up`, what that
        returns of a failed handler is said instead.
        """
        steps: list[Step] = []
        lines = self._lines_for(claim.policy)
        said = heard(claim, "\n".join(m.text for m in claim.messages).strip(), lines)
        text = said.text
        talk = tuple(Said(ROLES[m.author], m.text) for m in _shown(claim) if m.author in ROLES)
        zone = claim.contact.time_zone or claim.policy.time_zone
        with _timed(steps, "understand"):
            understanding = await self._understands.understand(
                claim.conversation.tenant, text, talk, now or self._clock.now(), zone
            )
        if said.zero:  # it may be a number: nobody is called for it yet
            understanding = replace(understanding, asks_human=False)
        turn = self._turn(claim, turn_id, text, talk, understanding, refused)
        turn = replace(turn, now=now or turn.now)
        with _timed(steps, "checks_in"):
            incoming = await self._chain.incoming(text, _check_context(turn, None))
        turn = replace(turn, limits=incoming.limits | _kept_limits(claim))
        if incoming.text is not None:
            turn = replace(turn, text=incoming.text)
        mode = self._mode(claim, understanding)
        silent = self._silent(claim, turn, mode, lines)
        if silent is not None:
            return Thought(turn, silent, incoming, Checked(silent.text, ()), steps, mode)
        account = turn.contact.account
        speaking = Speaking(
            self._context.generator, voice_of(claim.policy, account.edition if account else None)
        )
        context = replace(
            self._context,
            generator=speaking,
            preview=preview(turn) if preview is not None and mode is Mode.AUTO else None,
            time_zone=zone,
            lines=lines,
        )
        context = self._shown_on(context, turn.channel)
        if QUOTE_ONLY in turn.limits:
            context = replace(context, generator=Withheld())
        with _timed(steps, "handle"):
            try:
                outcome = (
                    zero_question(turn, lines)
                    if said.zero == "ask"
                    else await self._decide(claim, turn, context, incoming)
                )
                outcome = _of_the_asker(claim, turn, lines, outcome)
                outcome = await self._within_limits(turn, context, outcome)
            except Exception:
                if give_up is None:
                    raise
                logger.exception("handler.failed")
                outcome = give_up(turn)
        with _timed(steps, "checks_out"):
            outcome, outgoing = await self._checked(turn, context, outcome)
        outcome = self._rounded_off(claim, turn, lines, outcome)
        instead = ""
        if outcome.private and outcome.text and claim.messages[-1].metadata.get("shared"):
            instead = lines.say("channel.answered_privately", turn.locale, turn.channel)
        return Thought(turn, outcome, incoming, outgoing, steps, mode, speaking.calls, instead)

    def _rounded_off(self, claim: Claim, turn: Turn, lines: Lines, outcome: Outcome) -> Outcome:
        """Return the outcome with what is said once beside it: files refused, who speaks, the end of a pause."""
        outcome = _with_refused(turn, lines, outcome)
        outcome = settled(claim, self._disclosed(claim, turn, lines, outcome))
        return _after_pause(outcome) if claim.conversation.memory.get("paused") else outcome

    def _turn(
        self,
        claim: Claim,
        turn_id: TurnId,
        text: str,
        talk: tuple[Said, ...],
        understanding: Understanding,
        refused: tuple[RefusedEffect, ...],
    ) -> Turn:
        newest = claim.messages[-1]
        proven = claim.assurance == Assurance.PROVEN
        return Turn(
            id=turn_id,
            tenant=claim.conversation.tenant,
            conversation=claim.conversation,
            # nothing of their account is known to anybody who has not proven to be theirs
            contact=claim.contact if proven else replace(claim.contact, account=None),
            messages=claim.messages,
            text=text,
            talk=talk,
            understanding=understanding,
            channel=newest.channel,
            address=newest.address or "",
            inbox=claim.inbox,
            locale=_locale(claim, text, understanding),
            now=self._clock.now(),
            proven=proven,
            assurance=Assurance(claim.assurance),
            refused=refused,
            policy=claim.policy,
        )

    def _mode(self, claim: Claim, understanding: Understanding) -> Mode:
        """Return who answers: the conversation's own mode, a pause, else the most careful policy that applies."""
        policy = claim.policy
        if claim.conversation.mode is not None:
            return claim.conversation.mode
        channel = claim.messages[-1].channel
        if policy.paused or channel in policy.paused_channels:
            return Mode.MANUAL
        intent = understanding.intent.name if understanding.intent else ""
        tier = claim.contact.account.tier if claim.contact.account else ""
        applied = [
            policy.by_channel.get(channel),
            policy.by_intent.get(intent),
            policy.by_tier.get(tier),
        ]
        order = list(Mode)
        return max([policy.mode, *(m for m in applied if m)], key=order.index)

    def _silent(self, claim: Claim, turn: Turn, mode: Mode, lines: Lines) -> Outcome | None:
        """Return an outcome that leaves the talk to people, when they have it or were asked for."""
        conversation = claim.conversation
        told = TellTeam(follow_up(conversation, claim.contact.name or "Customer", turn.text))
        held = bool(conversation.memory.get("holding"))
        if mode is Mode.MANUAL and conversation.owner is not None:
            return Outcome(None, "manual", (told,), decision=Decision("manual"))
        waiting = conversation.handoff is not None
        if claim.opted_out:
            # carriers take no message to them until they write START, and we send none: a person sees to it
            danger = in_danger(turn.understanding, claim.policy.thresholds)
            why = HandoffReason.SAFETY if danger else HandoffReason.OPTED_OUT
            asks: Effect = told if waiting else Escalate(why, "urgent" if danger else "normal")
            # as after a pause: once they may be answered again, the bot goes on though a person was asked for
            resumes = () if waiting or danger else (SetNote({"paused": True}),)
            return Outcome(None, "opted_out", (asks, *resumes), decision=Decision("handoff"))
        resumed = bool(conversation.memory.get("paused"))  # a pause was all a person was asked for
        if mode is not Mode.MANUAL and (resumed or not waiting):
            return None
        effects: list[Effect] = [told] if waiting else []
        danger = in_danger(turn.understanding, claim.policy.thresholds)
        if not waiting:
            why = HandoffReason.SAFETY if danger else HandoffReason.PAUSED
            severity: Severity = "urgent" if danger else "normal"
            effects.append(Escalate(why, severity, sentiment=turn.understanding.sentiment))
            effects.append(SetNote({"paused": True}))
        line = "pipeline.paused" if mode is Mode.MANUAL else "pipeline.holding"
        if danger and not conversation.memory.get(IN_CRISIS):
            # who is in danger is not left with a line about waiting
            line, held = danger_line(turn.understanding), False
            effects.append(CRISIS)
        text = None if held else lines.say(line, turn.locale, turn.channel)
        effects.append(SetNote({"holding": True}))
        return Outcome(
            text, "waiting", tuple(effects), decision=Decision("handoff"), kind=MessageKind.NOTICE
        )

    def _shown_on(self, context: Context, channel: str) -> Context:
        known = self._capabilities.get(channel)
        if known is None:
            return context
        return replace(
            context, max_chars=known.max_chars, buttons=known.buttons, markup=known.markup
        )

    def _disclosed(self, claim: Claim, turn: Turn, lines: Lines, outcome: Outcome) -> Outcome:
        """Return the outcome saying once in a conversation that an AI assistant is speaking."""
        notes = [e.values for e in outcome.effects if isinstance(e, SetNote)]
        if (
            outcome.text is None
            or outcome.kind is not MessageKind.REPLY
            or any(note.get("disclosed") for note in notes)
            or not self._discloses(claim)
        ):
            return outcome
        said = f"{lines.say('disclosure.first', turn.locale, turn.channel)} {outcome.text}"
        return replace(outcome, text=said, effects=(*outcome.effects, SetNote({"disclosed": True})))

    def _discloses(self, claim: Claim) -> bool:
        """Return whether the bot's next reply is its first here, or the first after a person's, and nothing said so."""
        before = last_said(claim.history)
        if before is not None and before.author is Author.CSM:
            return True  # a person had the word and nothing has said yet that it is the bot's again
        known = self._capabilities.get(claim.messages[-1].channel)
        if known is None or known.greets:
            return False
        replied = any(m.author is Author.BOT and m.kind is MessageKind.REPLY for m in claim.history)
        return not replied and not claim.conversation.memory.get("disclosed")

    async def _decide(
        self, claim: Claim, turn: Turn, context: Context, incoming: Checked
    ) -> Outcome:
        if incoming.blocked is not None and not turn.understanding.asks_human:
            return await self._handle("fallback", turn, context)
        escalation = due(turn.understanding, claim.conversation.memory, claim.policy.thresholds)
        if escalation is None and turn.understanding.language not in _LOCALES:
            escalation = Escalation(HandoffReason.LANGUAGE, "normal", 1.0)
        if escalation is not None:
            return await self._escalate(turn, context, escalation)
        outcome = await self._handle(self._pick(turn), turn, context)
        reason = outcome.trace.get("escalate_reason")
        if outcome.next == "escalate" or reason:
            why = HandoffReason(str(reason)) if reason else HandoffReason.ASKED
            person = await self._escalate(turn, context, Escalation(why, "normal", 1.0))
            return replace(person, effects=(*outcome.effects, *person.effects))
        return outcome

    def _pick(self, turn: Turn) -> str:
        if "files" in self._handlers and _only_files(turn):
            return "files"
        form = turn.conversation.form
        if form is not None and form.name in self._handlers:
            return form.name
        memory = turn.conversation.memory
        offered = memory.get("choices")
        if memory.get("asked_back") is True and isinstance(offered, list) and turn.text in offered:
            return "answer"  # what was chosen completes the question, whatever it says by itself
        intent = turn.understanding.intent
        if intent is not None and intent.name in self._by_intent:
            return self._by_intent[intent.name]
        return "answer"

    async def _handle(self, name: str, turn: Turn, context: Context) -> Outcome:
        effects: tuple[Effect, ...] = ()
        for _hop in range(_HOPS):
            async with asyncio.timeout(self._timeout):
                outcome = await self._handlers[name].handle(turn, context)
            outcome = replace(
                outcome,
                handler=name,
                effects=(*effects, *outcome.effects),
                private=outcome.private or self._handlers[name].private,
            )
            if outcome.next is None or outcome.next == "escalate":
                return outcome
            name, effects = outcome.next, outcome.effects
        raise RuntimeError(f"handlers sent the turn round in circles, last to {name!r}")

    async def _within_limits(self, turn: Turn, context: Context, outcome: Outcome) -> Outcome:
        """Take out what the turn's limits forbid; a reply that spoke of it becomes the fallback."""
        kept, refused = permitted(outcome.effects, turn.limits)
        written = outcome.generated and QUOTE_ONLY in turn.limits
        if refused or written:
            logger.warning("turn.limited", extra={"refused": [type(e).__name__ for e in refused]})
        if written or not leaves_text_true(refused):
            outcome = await self._handle("fallback", turn, context)
            kept, _ = permitted(outcome.effects, turn.limits)
        if QUOTE_ONLY in turn.limits:
            # what was written here is read again with every later turn of this talk
            kept = (*kept, SetNote({"limits": [QUOTE_ONLY]}))
        return replace(outcome, effects=kept)

    async def _escalate(self, turn: Turn, context: Context, escalation: Escalation) -> Outcome:
        memory = {**turn.conversation.memory, "escalate_reason": escalation.reason}
        turn = replace(turn, conversation=replace(turn.conversation, memory=memory))
        outcome = await self._handle("escalate", turn, context)
        peaks = memory.get("peaks")
        known = dict(peaks) if isinstance(peaks, Mapping) else {}
        kept = [e for e in outcome.effects if not isinstance(e, Escalate)]
        asked = [e.summary for e in outcome.effects if isinstance(e, Escalate)]
        crisis = (CRISIS,) if escalation.reason is HandoffReason.SAFETY else ()
        return replace(
            outcome,
            effects=(
                *kept,
                Escalate(
                    escalation.reason,
                    escalation.severity,
                    summary="".join(asked[:1]),
                    sentiment=turn.understanding.sentiment,
                ),
                SetNote(
                    {"peaks": {**known, escalation.reason: escalation.peak}, UNDELIVERED: False}
                ),
                *crisis,
            ),
            decision=Decision("handoff", 1.0, (escalation.reason,)),
        )

    async def _checked(
        self, turn: Turn, context: Context, outcome: Outcome
    ) -> tuple[Outcome, Checked]:
        """Check what is to be said; a blocked text becomes the fallback, a second one in a talk a person."""
        if outcome.text is None:
            return outcome, Checked(None, ())
        checked = await self._chain.outgoing(outcome.text, _check_context(turn, outcome))
        if checked.text is not None:
            outcome = await self._chain.beside(outcome, _check_context(turn, outcome))
            return replace(outcome, text=checked.text), checked
        blocked = turn.conversation.memory.get("blocked")
        before = blocked if isinstance(blocked, int) else 0
        if before + 1 >= 2:
            escalation = Escalation(HandoffReason.BLOCKED_TWICE, "normal", 1.0)
            safe = await self._escalate(turn, context, escalation)
        else:
            safe = await self._handle("fallback", turn, context)
        # effects of the blocked text must not happen either: it is what would have told of them
        gap = OpenGap(
            turn.text, "blocked", tuple(dict.fromkeys(p.document for p in outcome.sources))
        )
        safe = replace(safe, effects=(*safe.effects, gap, SetNote({"blocked": before + 1})))
        again = await self._chain.outgoing(safe.text or "", _check_context(turn, safe))
        verdicts = (*checked.verdicts, *again.verdicts)
        if again.text is not None:
            return replace(safe, text=again.text), Checked(again.text, verdicts)
        # the checks let nothing through: a fixed line and a person, never silence
        line = context.lines.say("pipeline.handoff_failed", turn.locale, turn.channel)
        person = Escalate(HandoffReason.BLOCKED_TWICE, "high")
        last = Outcome(
            line,
            "give_up",
            (gap, SetNote({"blocked": before + 1}), person),
            decision=Decision("handoff", 1.0, ("checks_block",)),
            kind=MessageKind.NOTICE,
        )
        return last, Checked(line, verdicts)

    async def sentence_passes(self, turn: Turn, said: Outcome) -> str | None:
        """Return a preview sentence as it may be shown, or None; it is judged as the whole reply will be."""
        return (await self._chain.outgoing(said.text or "", _check_context(turn, said))).text


def _only_files(turn: Turn) -> bool:
    return not turn.text.strip() and any(m.attachments for m in turn.messages)


def _with_refused(turn: Turn, lines: Lines, outcome: Outcome) -> Outcome:
    """Return the outcome saying first why a file that came with the question was not taken."""
    refused = {a.refused for m in turn.messages for a in m.attachments}
    reason = next((known for known in REASONS if known in refused), None)
    if reason is None or not outcome.text or _only_files(turn):
        return outcome
    limit = MAX_BYTES // 1_000_000
    said = lines.say(f"files.{reason}", turn.locale, turn.channel, limit=limit)
    return replace(outcome, text=f"{said}\n\n{outcome.text}")


def result_of(thought: Thought, claim: Claim, trace: Mapping[str, object]) -> TurnResult:
    """Turn a thought into what the commit writes."""
    turn, outcome = thought.turn, thought.outcome
    newest = claim.messages[-1]
    inline = any(m.inline for m in claim.messages) and newest.inline
    replies: tuple[Reply, ...] = ()
    if outcome.text:
        replies = (
            Reply(
                text=outcome.text,
                kind=outcome.kind,
                author=outcome.author,
                channel=newest.channel,
                address=newest.address or "",
                inbox=newest.inbox or (claim.inbox.id if claim.inbox else InboxId("")),
                subject=newest.subject,
                thread=newest.reply_thread(),
                references=newest.reply_references(),
                inline=inline,
                proposed=thought.mode is Mode.DRAFT and outcome.kind is MessageKind.REPLY,
                locale=turn.locale,
                citations=outcome.citations,
                quick_replies=outcome.quick_replies,
                private=outcome.private,
            ),
        )
        if thought.instead:
            replies = _in_private(replies[0], thought.instead, newest.metadata.get("sender", ""))
    effects = outcome.effects
    if turn.locale != claim.conversation.locale:
        effects = (*effects, SetLocale(turn.locale))
    return TurnResult(
        turn_id=turn.id,
        claim=claim,
        handler=outcome.handler,
        replies=replies,
        effects=effects,
        status=_status(claim, thought),
        trace=trace,
        started_at=turn.now,
    )


def _of_the_asker(claim: Claim, turn: Turn, lines: Lines, outcome: Outcome) -> Outcome:
    """Keep one person's affairs from another who writes in the same thread: they are asked to write directly.

    The talk is the first person's, and so would be the booking, or the memory that is read out.
    """
    newest = claim.messages[-1].metadata
    if not outcome.private or not newest.get("shared"):
        return outcome
    if any(i.value == newest.get("sender") for i in claim.contact.identities):
        return outcome
    text = lines.say("channel.ask_privately", turn.locale, turn.channel)
    return Outcome(text, outcome.handler, decision=outcome.decision)


def _in_private(reply: Reply, instead: str, sender: str) -> tuple[Reply, ...]:
    """Send a private answer to the person alone, and say only that where others read along.

    It keeps its thread: the channel may have to show it there to them alone, and continues the talk by it.
    """
    alone = replace(reply, address=sender or reply.address)
    if alone.proposed:
        return (alone,)  # a colleague decides first whether there is an answer at all
    told = replace(reply, text=instead, citations=(), quick_replies=(), private=False)
    return (alone, told)


def _after_pause(outcome: Outcome) -> Outcome:
    """Let a later pause be told again, and let a person asked for since count as one."""
    asked = any(isinstance(e, Escalate) for e in outcome.effects)
    note = SetNote({"holding": False, "paused": not asked})
    return replace(outcome, effects=(*outcome.effects, note))


def _status(claim: Claim, thought: Thought) -> Status:
    effects = thought.outcome.effects
    if any(isinstance(e, Resolve) for e in effects):
        return Status.RESOLVED
    people = claim.conversation.handoff is not None or claim.conversation.owner is not None
    draft = thought.mode is Mode.DRAFT and thought.outcome.text is not None
    if people or draft or any(isinstance(e, Escalate) for e in effects):
        return Status.WAITING_US
    return Status.WAITING_CUSTOMER


def _check_context(turn: Turn, outcome: Outcome | None) -> CheckContext:
    return CheckContext(
        tenant=turn.tenant,
        locale=turn.locale,
        channel=turn.channel,
        understanding=turn.understanding,
        outcome=outcome,
        sources=outcome.sources if outcome else (),
        contact=turn.contact,
        asked=turn.text,
        asks=_asks(turn, outcome),
        policy=turn.policy,
    )


def _asks(turn: Turn, outcome: Outcome | None) -> str | None:
    """Return the slot that is asked for: of the form this outcome sets, else of the running one."""
    forms = [e.form for e in outcome.effects if isinstance(e, SetForm)] if outcome else []
    form = forms[-1] if forms else turn.conversation.form
    return form.asking if form else None


def _kept_limits(claim: Claim) -> frozenset[str]:
    """Return the limits that an earlier message of this talk left behind."""
    kept = claim.conversation.memory.get("limits")
    limits = frozenset(map(str, kept)) if isinstance(kept, list | tuple) else frozenset[str]()
    return limits | {NO_MEMORY} if claim.conversation.memory.get(IN_CRISIS) else limits


def _shown(claim: Claim) -> Sequence[StoredMessage]:
    """Return what was said before, as far as whoever writes now may hear of it.

    Text from another channel is for those who proved who they are, or who write from the same address.
    """
    newest = claim.messages[-1]
    if claim.assurance == Assurance.PROVEN:
        return claim.history
    return [m for m in claim.history if m.channel == newest.channel or m.address == newest.address]


def _locale(claim: Claim, text: str, understanding: Understanding) -> str:
    kept = claim.conversation.locale or claim.messages[-1].locale or claim.contact.locale
    fallback = kept if kept in _LOCALES else claim.policy.locale
    if len(text.split()) < _WORDS_TO_JUDGE_LANGUAGE and kept:
        return fallback
    return understanding.language if understanding.language in _LOCALES else fallback


class _timed:  # noqa: N801 - reads as a statement
    """Time a step of a turn."""

    def __init__(self, steps: list[Step], name: str) -> None:
        self._steps, self._name = steps, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_exc: object) -> None:
        spent = (time.perf_counter() - self._start) * 1000
        self._steps.append(Step(self._name, round(spent, 2)))
