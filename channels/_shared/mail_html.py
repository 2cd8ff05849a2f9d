"""The HTML of a mail as plain text, with its quotes marked by ">" so that one cutter serves both.

Hidden text is dropped: nobody saw it, and it is where planted instructions stand. Fetches nothing.
"""

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from channels._shared.mail_reply import announces

MAX_HTML_CHARS = 400_000
_MAX_DEPTH = 150
_DROPPED = ("script", "style", "head", "title", "template", "noscript", "object", "svg", "base")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|$)"
    r"|opacity\s*:\s*0\s*(?:;|$)|max-height\s*:\s*0",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    ("address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset",
     "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "html", "li", "main", "nav",
     "ol", "p", "pre", "section", "table", "tr", "ul")
)  # fmt: skip
_QUOTES = re.compile(
    r"gmail_quote|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|mail_quote|cite-quote",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[-–—]{2,}\s*[^-–—]{3,60}[-–—]{2,}\s*(?:From|Von|De|Da|Van|Från|Fra|Od|От)\W", re.IGNORECASE
)
# From here on everything is history, though nothing encloses it.
_HISTORY_IDS = re.compile(
    r"^(?:x_)*(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message"
    r"|ms-outlook-mobile-reference-message|reply-intro)",
    re.IGNORECASE,
)


def html_to_text(html: str) -> str:
    """Return what a reader sees, quotes marked; "" when there is nothing or it cannot be parsed."""
    soup = BeautifulSoup(html[:MAX_HTML_CHARS].replace("\x00", ""), "html.parser")
    for note in soup.find_all(string=lambda s: isinstance(s, PreformattedString)):
        note.extract()
    for tag in soup.find_all(_DROPPED):
        tag.decompose()
    for tag in soup.find_all(_is_hidden):
        tag.decompose()
    _quote_what_follows(soup)
    text = _settle(_text(soup, 0))
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _is_hidden(tag: Tag) -> bool:
    return tag.has_attr("hidden") or bool(_HIDDEN.search(str(tag.get("style") or "")))


def _is_quote(tag: Tag) -> bool:
    if tag.get("data-history") == "true":
        return True
    classes = " ".join(tag.get_attribute_list("class"))
    if _QUOTES.search(classes) or (tag.name == "blockquote" and tag.get("type") == "cite"):
        return not _FORWARDED.match(tag.get_text(" ", strip=True)[:120])
    return tag.name == "blockquote" and _is_announced(tag)


def _is_announced(tag: Tag) -> bool:
    """Return whether a bare blockquote stands under a "… wrote:" line.

    Else it is the sender's own.
    """
    before: list[str] = []
    for text in tag.find_all_previous(string=True, limit=12):
        before.insert(0, str(text))
        if announces(" ".join("".join(before).split()), is_quote_next=True):
            return True
    return False


def _quote_what_follows(soup: BeautifulSoup) -> None:
    start = soup.find(id=_HISTORY_IDS)
    if isinstance(start, Tag):
        start["data-history"] = "true"
        for later in start.find_next_siblings():
            later["data-history"] = "true"


# Line breaks while the text is put together: the edge of a block, of a paragraph, an empty line. Edges
# that meet count once; a <br> and an empty line always count (as in a browser).
_EDGE, _PARAGRAPH, _EMPTY = "\x01", "\x02", "\x03"
_BREAKS = re.compile(f"[ \\n{_EDGE}{_PARAGRAPH}{_EMPTY}]+")


def _settle(text: str) -> str:
    return _BREAKS.sub(_settled, text).strip("\n")


def _settled(run: re.Match[str]) -> str:
    breaks = run[0].replace(" ", "")
    if not breaks:
        return " "
    edges = 2 if _PARAGRAPH in breaks else 1 if _EDGE in breaks else 0
    lines = breaks.count("\n") + breaks.count(_EMPTY)
    if re.search(f"\n[{_EDGE}{_PARAGRAPH}]", breaks):
        lines -= 1  # a <br> before the edge of a block ends the line that the edge ends
    return "\n" * max(1, edges + lines)


def _text(tag: Tag, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return " ".join(tag.get_text(" ").split())
    parts: list[str] = []
    for child in tag.children:
        if isinstance(child, Tag):
            parts.append(_tag_text(child, depth + 1))
        elif isinstance(child, NavigableString):
            words = re.sub(r"[\x00-\x08\x0b-\x1f]", "", str(child))
            parts.append(words if tag.name == "pre" else re.sub(r"[^\S\u00a0]+", " ", words))
    return "".join(parts)


def _tag_text(tag: Tag, depth: int) -> str:
    if tag.name == "br":
        return "\n"
    if tag.name == "hr":
        return _PARAGRAPH
    inner = _text(tag, depth)
    if _is_quote(tag):
        quoted = "\n".join(f"> {line}".rstrip() for line in _settle(inner).split("\n"))
        return _EDGE + quoted + _EDGE
    if tag.name in ("td", "th"):
        return inner + "  "
    return _as_block(tag, inner) if tag.name in _BLOCKS else inner


def _as_block(tag: Tag, inner: str) -> str:
    if tag.name == "li":
        return f"{_EDGE}- {_settle(inner).strip()}{_EDGE}"
    is_outlook = "Mso" in " ".join(tag.get_attribute_list("class"))
    if not inner.strip(f" {_EDGE}{_PARAGRAPH}\n\u00a0"):
        seen = "\n" in inner or "\u00a0" in inner or (tag.name == "p" and is_outlook)
        return f"{_EDGE}{_EMPTY}{_EDGE}" if seen else _EDGE
    edge = _PARAGRAPH if tag.name == "p" and not is_outlook else _EDGE
    return edge + inner + edge
