"""Turn a reply into what a channel can show: markup, numbered choices, sources, who speaks, parts.

Replies are written in a small Markdown: paragraphs, headings, lists, quotes, fences, **bold**,
*italic*, `code`, [label](url). Everything else is text and is escaped where the target has markup
of its own.
Not here: the words around the reply (handlers/lines/*.yaml, keys `channel.*`), sending.
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from channels._shared.split import FENCE, split
from core.contracts import Capabilities
from core.messages import Author, Outbound, QuickReply
from core.ports import Lines
from core.turns import Citation

_INLINE = re.compile(
    r"`(?P<code>[^`\n]{1,500})`"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\((?P<url>[^()\s]{1,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,3})\)"
    r"|(?P<bare>https?://[^\s<>]+)"
    r"|\*\*(?=\S)(?P<bold>[^\n]{1,500}?)(?<=\S)\*\*(?!\*)"
    r"|(?<![\w*])\*(?=[^\s*])(?P<star>[^*\n]{1,500}?)(?<=\S)\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])(?P<under>[^_\n]{1,500}?)(?<=\S)_(?!\w)"
)
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"(\s*)[-*+•]\s+(.*)$")
_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s+(.*)$")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)$")
_LINKABLE = re.compile(r"(?i)(?:https?://|mailto:|tel:)")
_TRAILING = ".,;:!?'\"”’»)]}*_"


@dataclass(frozen=True, slots=True)
class Words:
    """Fixed words around a reply, in the customer's language; empty ones are left out."""

    sources: str = ""
    choose: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class _Markup:
    """How one markup writes its pieces. `link` takes the rendered label, the plain one, the URL."""

    escape: Callable[[str], str]
    bold: Callable[[str], str]
    italic: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str, str], str]
    bullet: str = "- "
    quote: str = ""


def words_for(outbound: Outbound, lines: Lines, capabilities: Capabilities) -> Words:
    """Return the words this message needs, from the lines `channel.*`."""

    def say(key: str, **slots: object) -> str:
        return lines.say(key, outbound.locale, outbound.channel, **slots)

    choices = outbound.quick_replies
    numbered = bool(choices) and not capabilities.shows_buttons(len(choices))
    return Words(
        sources=say("channel.sources") if outbound.citations else "",
        choose=say("channel.reply_with_number") if numbered else "",
        speaker=_speaker(outbound, say),
    )


def _speaker(outbound: Outbound, say: Callable[..., str]) -> str:
    if outbound.author is Author.CSM:
        if outbound.author_name:
            return say("channel.author_csm", name=outbound.author_name)
        return say("channel.author_team")
    if outbound.author is Author.BOT and outbound.author_name:
        return say("channel.author_bot", name=outbound.author_name)
    return ""


def render(
    text: str,
    capabilities: Capabilities,
    *,
    quick_replies: Sequence[QuickReply] = (),
    citations: Sequence[Citation] = (),
    words: Words | None = None,
) -> list[str]:
    """Return the message as parts within the channel's `max_chars`, in its markup.

    Quick replies become numbered lines where there are no buttons, or not so many. HTML is never split. An empty
    message gives no part.
    """
    words = words or Words()
    is_shown = capabilities.shows_buttons(len(quick_replies))
    choices = [] if is_shown else [r.label for r in quick_replies]
    if capabilities.markup == "html":
        whole = _html_document(text, choices, citations, words)
        return [whole] if whole else []
    markup = _MARKUPS.get(capabilities.markup)
    pieces = [
        _spoken(text, capabilities.markup, markup, words.speaker),
        _choices(choices, words.choose, markup),
        _sources(citations, words.sources, markup),
    ]
    whole = "\n\n".join(piece for piece in pieces if piece)
    return split(whole, capabilities.max_chars, capabilities.markup)


def to_plain(text: str) -> str:
    """Return the reply without markup; links as `label (url)`."""
    return _blocks(text, _PLAIN)


def to_mrkdwn(text: str) -> str:
    """Return the reply in Slack's mrkdwn, everything that is not our markup escaped."""
    return _blocks(text, _MRKDWN)


def to_html(text: str) -> str:
    """Return the reply as an HTML fragment of p, ul, ol, blockquote, pre, strong, em, code, a."""
    return "\n".join(_html_blocks(text))


def escape_mrkdwn(text: str) -> str:
    """Escape what Slack would read as markup of its own: mentions, links, entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# ---------------------------------------------------------------- pieces


def _spoken(text: str, name: str, markup: _Markup | None, speaker: str) -> str:
    body = _blocks(text, markup) if markup else text.strip()
    if not speaker or not body:
        return body
    if name == "plain":
        return f"{speaker}: {body}"
    return f"{markup.bold(markup.escape(speaker)) if markup else f'**{speaker}**'}\n{body}"


def _choices(labels: Sequence[str], choose: str, markup: _Markup | None) -> str:
    if not labels:
        return ""
    escape = markup.escape if markup else str
    lines = [f"{number}. {escape(label)}" for number, label in enumerate(labels, 1)]
    return "\n".join([*lines, escape(choose)] if choose else lines)


def _sources(citations: Sequence[Citation], label: str, markup: _Markup | None) -> str:
    if not citations or not label:
        return ""
    entries = []
    for citation in citations:
        name = cited_name(citation)
        if markup is _PLAIN:
            entries.append(f"{citation.number} {name}")
        elif markup is None:
            target = f"[{name}]({citation.url})" if citation.url else name
            entries.append(f"[{citation.number}] {target}")
        else:
            shown = markup.escape(name)
            linked = citation.url and _LINKABLE.match(citation.url)
            target = markup.link(shown, name, citation.url) if linked and citation.url else shown
            entries.append(f"[{citation.number}] {target}")
    escape = markup.escape if markup else str
    return f"{escape(label)}: " + "; ".join(entries)


def cited_name(citation: Citation) -> str:
    """Return `Title, section`; the title alone when the section says nothing more."""
    if not citation.section or citation.section == citation.title:
        return citation.title or citation.document
    return f"{citation.title or citation.document}, {citation.section}"


# ---------------------------------------------------------------- plain and mrkdwn


def _blocks(text: str, markup: _Markup) -> str:
    rendered, in_fence = [], False
    for line in text.strip().splitlines():
        if line.strip().startswith(FENCE):
            in_fence = not in_fence
            if markup is not _PLAIN:
                rendered.append(FENCE)
        elif in_fence:
            rendered.append(markup.escape(line))
        else:
            rendered.append(_line(line, markup))
    if in_fence and markup is not _PLAIN:
        rendered.append(FENCE)
    return "\n".join(rendered)


def _line(line: str, markup: _Markup) -> str:
    if heading := _HEADING.match(line):
        title = _inline(heading[1], markup)
        return title if title.startswith("*") else markup.bold(title)
    if bullet := _BULLET.match(line):
        return f"{bullet[1]}{markup.bullet}{_inline(bullet[2], markup)}"
    if quote := _QUOTE.match(line):
        return f"{markup.quote}{_inline(quote[1], markup)}"
    return _inline(line.rstrip(), markup)


def _inline(text: str, markup: _Markup) -> str:
    rendered, at = [], 0
    for match in _INLINE.finditer(text):
        rendered.append(markup.escape(text[at : match.start()]))
        rendered.append(_span(match, markup))
        at = match.end()
    return "".join([*rendered, markup.escape(text[at:])])


def _span(match: re.Match[str], markup: _Markup) -> str:
    if match["code"]:
        return markup.code(markup.escape(match["code"]))
    if match["bold"]:
        return markup.bold(_inline(match["bold"], markup))
    if match["star"] or match["under"]:
        return markup.italic(_inline(match["star"] or match["under"], markup))
    if match["bare"]:
        url = _address(match["bare"])
        rest = match["bare"][len(url) :]
        return markup.link(markup.escape(url), url, url) + markup.escape(rest)
    label, url = match["label"], match["url"]
    if not _LINKABLE.match(url):
        return _inline(label, markup)
    return markup.link(markup.escape(to_plain(label)), to_plain(label), url)


def _address(bare: str) -> str:
    """Return a URL without the punctuation behind it; a bracket it opened itself stays."""
    url = bare.rstrip(_TRAILING)
    while bare[len(url) :].startswith(")") and url.count("(") > url.count(")"):
        url += ")"
    return url


def _plain_link(_: str, label: str, url: str) -> str:
    address = re.sub(r"(?i)^(?:mailto|tel):", "", url)
    return address if label in (url, address) else f"{label} ({address})"


def _mrkdwn_link(label: str, plain: str, url: str) -> str:
    target = escape_mrkdwn(url).replace("|", "%7C")
    return f"<{target}>" if plain == url else f"<{target}|{label.replace('|', '¦')}>"


def _html_link(label: str, _: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{label}</a>'


_PLAIN = _Markup(str, str, str, str, _plain_link)
_MRKDWN = _Markup(
    escape_mrkdwn,
    "*{}*".format,
    "_{}_".format,
    "`{}`".format,
    _mrkdwn_link,
    bullet="• ",
    quote="> ",
)
# Source: WhatsApp's help page "How to format your messages". It has no escape and no labelled links.
_WHATSAPP = _Markup(
    str, "*{}*".format, "_{}_".format, "`{}`".format, _plain_link, bullet="- ", quote="> "
)
_HTML = _Markup(
    html.escape,
    "<strong>{}</strong>".format,
    "<em>{}</em>".format,
    "<code>{}</code>".format,
    _html_link,
)
_MARKUPS = {"plain": _PLAIN, "mrkdwn": _MRKDWN, "whatsapp": _WHATSAPP}


# ---------------------------------------------------------------- html


def _html_document(
    text: str, choices: Sequence[str], citations: Sequence[Citation], words: Words
) -> str:
    blocks = _html_blocks(text)
    if words.speaker and blocks:
        blocks.insert(0, f"<p><strong>{html.escape(words.speaker)}</strong></p>")
    if choices:
        items = "".join(f"<li>{html.escape(label)}</li>" for label in choices)
        blocks.append(f"<ol>{items}</ol>")
        if words.choose:
            blocks.append(f"<p>{html.escape(words.choose)}</p>")
    if sources := _sources(citations, words.sources, _HTML):
        blocks.append(f"<p>{sources}</p>")
    return "\n".join(blocks)


def _html_blocks(text: str) -> list[str]:
    blocks: list[str] = []
    kind, items = "", list[str]()

    def close() -> None:
        if items:
            blocks.append(_html_block(kind, items))
        items.clear()

    for line in text.strip().splitlines():
        is_fence = line.strip().startswith(FENCE)
        found, content = ("", "") if is_fence else _classify(line, in_fence=kind == "pre")
        if is_fence:
            found = "" if kind == "pre" else "pre"
        if found != kind or found == "h":
            close()
            kind = found
        if found and not is_fence:
            items.append(content)
    close()
    return blocks


def _classify(line: str, *, in_fence: bool) -> tuple[str, str]:
    if in_fence:
        return "pre", html.escape(line)
    if not line.strip():
        return "", ""
    for kind, pattern in (("h", _HEADING), ("ul", _BULLET), ("ol", _NUMBER), ("quote", _QUOTE)):
        if match := pattern.match(line):
            return kind, _inline(match[match.re.groups], _HTML)
    return "p", _inline(line.strip(), _HTML)


def _html_block(kind: str, items: Sequence[str]) -> str:
    if kind in ("ul", "ol"):
        return f"<{kind}>" + "".join(f"<li>{item}</li>" for item in items) + f"</{kind}>"
    if kind == "pre":
        return "<pre>" + "\n".join(items) + "</pre>"
    body = "<br>\n".join(items)
    if kind == "quote":
        return f"<blockquote>{body}</blockquote>"
    return f"<p><strong>{body}</strong></p>" if kind == "h" else f"<p>{body}</p>"
