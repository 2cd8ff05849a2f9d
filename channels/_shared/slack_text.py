"""Slack's text: what its escapes mean, and what we must escape.

Source: Slack's page "Formatting text for app surfaces". Not here: our Markdown to mrkdwn (render.py).
"""

import re

_ESCAPE = re.compile(r"<(?P<target>[^<>|\n]{1,3000})(?:\|(?P<label>[^<>\n]{0,3000}))?>")


def decode_text(text: str, without_user: str | None = None) -> str:
    """Return what the person wrote: mentions as @name, links as `label (url)`, entities decoded.

    Mentions of `without_user` (the bot itself) are dropped.
    """

    def plain(match: re.Match[str]) -> str:
        return _plain(match["target"], match["label"], without_user)

    # JSON can carry half a surrogate pair, which no database takes.
    text = text.encode("utf-8", "replace").decode().replace("\x00", "")
    text = _ESCAPE.sub(plain, text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _plain(target: str, label: str | None, without_user: str | None) -> str:
    kind, rest = target[0], target[1:]
    if kind == "@":
        return "" if rest == without_user else f"@{label or rest}"
    if kind == "#":
        return f"#{label or rest}"
    if kind == "!":
        return label or f"@{rest.partition('^')[0]}"
    address = re.sub(r"^(?:mailto|tel):", "", target)
    says_nothing_more = not label or label in (target, address) or target.endswith(f"//{label}")
    return address if says_nothing_more else f"{label} ({address})"


def mentions(text: str, user: str) -> bool:
    """Tell whether the raw text mentions the user."""
    return re.search(rf"<@{re.escape(user)}(?:\|[^>]*)?>", text) is not None
