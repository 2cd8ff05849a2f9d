"""Find out by a one-time code who is speaking, and then let them go on with what they wanted.

Owns asking for an address, saying where a code goes, and reading what comes back. The same is said whether or not
anybody known has the address. Not here: making, sending, comparing and counting codes (the commit, port
Codes), what proof joins (app/store/joins.py), which replies need proof (the handlers that speak them).
"""

import re
from dataclasses import replace

from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.effects import CODE_GAP, CountMiss, Effect, Identify, Prove, SendCode, SetForm, SetNote
from core.mailboxes import is_role_mailbox
from core.messages import Assurance, IdentityClaim, QuickReply
from core.outcomes import Outcome, Turn
from core.proving import RESUME
from core.turns import Decision
from handlers._shared.asides import answer_aside
from handlers._shared.followups import offer_person, person_replies, to_person
from handlers._shared.forms import Draft
from handlers._shared.invitations import email_in, masked
from handlers._shared.wording import contains, declines, opens_with

NAME, VERIFY = "identity", "verify"
ADDRESS, CODE = "email_or_phone", "code"
_PHONE = re.compile(r"\+\d[\d ().-]{6,20}\d")
_LONGEST_WISH = 200
_CHANNELS = {"email": "email", "phone": "sms"}


async def handle(turn: Turn, context: Context) -> Outcome:
    """Ask for an address, send a code there, and take what comes back."""
    draft = Draft.resume(NAME, turn.conversation.form)
    if turn.proven:
        return _end(turn, context, "verify.already")
    if turn.assurance is Assurance.CLAIMED or turn.limits & {"no_tools"}:
        # a code in a mail that anybody may have written would vouch for the next forged one too
        return offer_person(turn, context, _end(turn, context, "verify.offer"))
    if not draft.running:
        _keep_wish(turn, draft)
    if turn.refused:
        return _refused(turn, context, draft)
    if not draft.running:
        return _begin(turn, context, draft)
    return await _continue(turn, context, draft)


async def _continue(turn: Turn, context: Context, draft: Draft) -> Outcome:
    """Take what the message says: a way out, the code, an address, another code."""
    if _is_given_up(turn, context):
        return _end(turn, context, "verify.ended")
    typed = next((m.metadata["code"] for m in reversed(turn.messages) if "code" in m.metadata), "")
    if draft.asking == CODE and typed:
        return await _try(turn, context, draft, typed)
    found = _address_in(turn.text)
    if found is not None:
        return _send(turn, context, draft, *found)
    if draft.asking == CODE and contains(turn.text, context.lines, "words.resend"):
        return _send(turn, context, draft, draft.text("kind") or "", draft.text("value") or "")
    return await _ask_again(turn, context, draft)


def _keep_wish(turn: Turn, draft: Draft) -> None:
    """Keep what was wanted, to go on with it afterwards."""
    intent = turn.understanding.intent
    if intent is None or intent.name != VERIFY:
        draft.slots["wish"] = " ".join(turn.text.split())[:_LONGEST_WISH]


def _begin(turn: Turn, context: Context, draft: Draft) -> Outcome:
    """Ask for an address; one they gave before is used without asking."""
    found = _address_in(turn.text) or _stated(turn)
    if found is not None:
        return _send(turn, context, draft, *found)
    draft.ask(ADDRESS)
    return _asking(turn, context, draft, "verify.ask")


def _stated(turn: Turn) -> tuple[str, str] | None:
    """Return an address that this very contact, nobody known by name, said was theirs."""
    if turn.contact.external_id:
        return None
    said = [
        (i.kind, i.value)
        for i in turn.contact.identities
        if i.assurance is Assurance.CLAIMED and i.kind in _CHANNELS
    ]
    return next((found for found in said if not is_role_mailbox(found[1])), None)


def _address_in(text: str) -> tuple[str, str] | None:
    email = email_in(text)
    if email is not None:
        return "email", email.lower()
    phone = _PHONE.search(text)
    return ("phone", "+" + re.sub(r"\D", "", phone[0])) if phone else None


def _send(turn: Turn, context: Context, draft: Draft, kind: str, value: str) -> Outcome:
    if is_role_mailbox(value):
        return _asking(turn, context, draft, "verify.shared")
    draft.slots.update(kind=kind, value=value)
    draft.asked.pop(CODE, None)
    draft.ask(CODE)
    channel = _CHANNELS[kind]
    lines = context.lines
    code = SendCode(
        channel,
        kind,
        value,
        lines.say("verify.code", turn.locale, channel, code=CODE_GAP),
        lines.say("verify.code_subject", turn.locale) if channel == "email" else None,
    )
    # unproven, it is a hint to the team who this may be
    stated = Identify(IdentityClaim(kind, value, Assurance.CLAIMED))
    return _asking(turn, context, draft, "verify.sent", code, stated, address=_shown(kind, value))


def _shown(kind: str, value: str) -> str:
    """Return an address as far as its owner needs it to recognise it."""
    return masked(value) if kind == "email" else f"•••{value[-3:]}"


# ---------------------------------------------------------------- what comes back


async def _try(turn: Turn, context: Context, draft: Draft, typed: str) -> Outcome:
    if context.codes is None:
        return offer_person(turn, context, _end(turn, context, "verify.offer"))
    judged = await context.codes.judge(turn.tenant, turn.conversation.id, typed)
    if judged.verdict == "right":
        return _proven(turn, context, draft, Prove(judged.code, typed))
    if judged.verdict != "wrong":
        return _spent(turn, context, draft)
    miss = CountMiss(judged.code)
    if judged.left <= 0:
        return _spent(turn, context, draft, miss)
    key = "verify.wrong_once" if judged.left == 1 else "verify.wrong"
    return _asking(turn, context, draft, key, miss, left=judged.left)


def _proven(turn: Turn, context: Context, draft: Draft, proof: Prove) -> Outcome:
    wish = draft.text("wish")
    if wish is None:
        return _end(turn, context, "verify.done", proof)
    yes = context.lines.say("verify.go_on", turn.locale)
    return Outcome(
        text=context.lines.say("verify.done_wish", turn.locale, turn.channel, wish=wish),
        effects=(proof, SetForm(None), SetNote({RESUME: wish})),
        quick_replies=(QuickReply(yes, wish),),
        decision=Decision(NAME, 1.0, ("proven",)),
    )


def _spent(turn: Turn, context: Context, draft: Draft, *effects: Effect) -> Outcome:
    """Say that this code counts no more; another may be asked for, or a person."""
    again = context.lines.say("verify.new_code", turn.locale)
    person, _ = person_replies(turn, context)
    said = _asking(turn, context, draft, "verify.spent", *effects)
    return replace(said, quick_replies=(QuickReply(again, again), person))


def _refused(turn: Turn, context: Context, draft: Draft) -> Outcome:
    """Say what the commit would not do, in the same words for every address."""
    code = turn.refused[-1].code
    if code == "both_known":
        return to_person(HandoffReason.EFFECT_REFUSED)
    if code == "no_channel":
        draft.asked.pop(ADDRESS, None)
        draft.ask(ADDRESS)
        return _asking(turn, context, draft, "verify.no_channel")
    if code == "cap_reached":
        return offer_person(turn, context, _end(turn, context, "verify.too_many"))
    return _spent(turn, context, draft)


async def _ask_again(turn: Turn, context: Context, draft: Draft) -> Outcome:
    """Answer a side question, or ask once more; then a person is offered."""
    waiting = draft.asking == CODE
    key = "verify.ask_code" if waiting else "verify.ask_again"
    slots = {"address": _shown(draft.text("kind") or "", draft.text("value") or "")}
    aside = await answer_aside(turn, context, learned=False)
    if aside is not None:
        return aside.before(_asking(turn, context, draft, key, **(slots if waiting else {})))
    asked = CODE if waiting else ADDRESS
    if draft.is_worn_out(asked):
        return offer_person(turn, context, _end(turn, context, "verify.stuck"))
    draft.ask(asked)
    return _asking(turn, context, draft, key, **(slots if waiting else {}))


# ---------------------------------------------------------------- saying it


def _is_given_up(turn: Turn, context: Context) -> bool:
    lines = context.lines
    return opens_with(turn.text, lines, "words.cancel_form") or declines(turn.text, lines)


def _asking(
    turn: Turn, context: Context, draft: Draft, key: str, *effects: Effect, **slots: object
) -> Outcome:
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel, **slots),
        effects=(*effects, draft.kept()),
        decision=Decision(NAME, reasons=(key.partition(".")[2],)),
    )


def _end(turn: Turn, context: Context, key: str, *effects: Effect) -> Outcome:
    return Outcome(
        text=context.lines.say(key, turn.locale, turn.channel),
        effects=(*effects, SetForm(None)),
        decision=Decision(NAME, reasons=(key.partition(".")[2],)),
    )


HANDLER = HandlerSpec(
    name=NAME,
    handle=handle,
    private=True,
    intents=(VERIFY,),
    examples={
        VERIFY: (
            "Verify me",
            "I want to verify my identity",
            "How can I prove that it's me?",
            "Can you confirm who I am?",
            "Send me a verification code",
            "Please identify me with a code",
            "I'd like to prove my identity to you",
            "Check that this is really me",
            "Verifícame",
            "Quiero verificar mi identidad",
            "¿Cómo demuestro que soy yo?",
            "Envíame un código de verificación",
            "Identifícame con un código",
            "Comprueba que soy yo de verdad",
        )
    },
    form=True,
    summary="Proves by a one-time code who is speaking.",
)
