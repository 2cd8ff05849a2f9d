"""Block Kit: team alerts with their buttons, and quick replies under a customer's answer.

Sizes are Slack's limits per block ("Reference: blocks"). Everything that came from a customer is
escaped, so it can neither mention anybody nor look like a link. What the team reads is English.
"""

from collections.abc import Sequence

from channels._shared.render import Words, escape_mrkdwn, render
from channels._shared.split import split
from core.contracts import Capabilities
from core.messages import QuickReply, TeamCard
from core.turns import Citation

Block = dict[str, object]

ACTIONS = {"claim": "usher_claim", "hand_back": "usher_hand_back", "resolve": "usher_resolve"}
REPLY_ACTION = "usher_reply_"
OPEN_ACTION = "usher_open"

_LABELS = {"claim": "Claim", "hand_back": "Hand back", "resolve": "Resolve"}
_STYLES = {"claim": "primary", "resolve": "danger"}
_SIGNS = {"normal": "", "high": "❗ ", "urgent": "🚨 "}
_HEADER, _SECTION, _FIELD, _LABEL, _VALUE = 150, 3000, 2000, 75, 2000
_MAX_FIELDS, _MAX_TRANSCRIPT = 10, 10
BUTTONS = 5  # in one row; more wrap and hide what they answer
_TEXT_ALONE = Capabilities(buttons=True, markup="mrkdwn")


def card_blocks(card: TeamCard) -> list[Block]:
    """Return the alert: header, summary, facts, last messages, link and buttons."""
    blocks: list[Block] = [
        {"type": "header", "text": _plain(_SIGNS[card.severity] + card.title, _HEADER)}
    ]
    if card.text.strip():
        blocks.append({"type": "section", "text": _mrkdwn(card.text, _SECTION)})
    if card.fields:
        blocks.append(
            {
                "type": "section",
                "fields": [_field(name, value) for name, value in card.fields[:_MAX_FIELDS]],
            }
        )
    if card.transcript:
        lines = [_said(author, text) for author, text in card.transcript[-_MAX_TRANSCRIPT:]]
        blocks.append({"type": "context", "elements": lines})
    buttons = [_button(name, card) for name in card.buttons if name in ACTIONS]
    if card.link:
        buttons.append(
            {
                "type": "button",
                "action_id": OPEN_ACTION,
                "text": _plain("Open", _LABEL),
                "url": card.link,
            }
        )
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def card_text(card: TeamCard) -> str:
    """Return what notifications show, escaped."""
    return escape_mrkdwn(_clip(f"{card.title}: {card.text}" if card.text else card.title, _SECTION))


def reply_blocks(
    mrkdwn: str,
    quick_replies: Sequence[QuickReply] = (),
    citations: Sequence[Citation] = (),
    sources: str = "",
    choose: str = "",
) -> list[Block]:
    """Return text that is mrkdwn already, its sources (a heading for them) in small print, and its choices.

    The first choices are buttons; those beyond them stand below as lines with their numbers, and `choose`.
    """
    more = [
        f"{number}. {escape_mrkdwn(reply.label)}"
        for number, reply in enumerate(quick_replies, 1)
        if number > BUTTONS
    ]
    blocks = _sections(mrkdwn)
    if citations and sources:
        shown = render(".", _TEXT_ALONE, citations=citations, words=Words(sources=sources))
        small = split(shown[0].removeprefix(".").strip(), _SECTION, "mrkdwn")[:_MAX_TRANSCRIPT]
        blocks.append({"type": "context", "elements": [_mrkdwn_of(piece) for piece in small]})
    buttons: list[Block] = [
        {
            "type": "button",
            "action_id": f"{REPLY_ACTION}{index}",
            "text": _plain(reply.label, _LABEL),
            "value": reply.value[:_VALUE],
        }
        for index, reply in enumerate(quick_replies[:BUTTONS])
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    if more:
        blocks += _sections("\n".join([*more, *([choose] if choose else [])]))
    return blocks


def _sections(mrkdwn: str) -> list[Block]:
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": part}}
        for part in split(mrkdwn, _SECTION, "mrkdwn")
    ]


def _button(name: str, card: TeamCard) -> Block:
    button: Block = {
        "type": "button",
        "action_id": ACTIONS[name],
        "text": _plain(_LABELS[name], _LABEL),
        "value": str(card.conversation_id),
    }
    if name in _STYLES:
        button["style"] = _STYLES[name]
    if name == "resolve":
        button["confirm"] = {
            "title": _plain("Resolve this conversation?", 100),
            "text": _plain("The customer's next message within 72 hours opens it again.", 300),
            "confirm": _plain("Resolve", 30),
            "deny": _plain("Not yet", 30),
        }
    return button


def _field(name: str, value: str) -> Block:
    return _mrkdwn_of(f"*{escape_mrkdwn(name)}*\n{escape_mrkdwn(_clip(value, _FIELD // 6))}")


def _said(author: str, text: str) -> Block:
    flat = " ".join(text.split())
    return _mrkdwn_of(f"*{escape_mrkdwn(author)}:* {escape_mrkdwn(_clip(flat, _FIELD // 6))}")


def _mrkdwn(text: str, limit: int) -> Block:
    escaped = escape_mrkdwn(text.strip())
    # Escaping lengthens; cut what is shown, never through an entity.
    return _mrkdwn_of(escaped if len(escaped) <= limit else escape_mrkdwn(_clip(text, limit // 6)))


def _mrkdwn_of(escaped: str) -> Block:
    # verbatim: no channel names or addresses turned into links.
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _clip(text.strip() or "…", limit), "emoji": False}


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
