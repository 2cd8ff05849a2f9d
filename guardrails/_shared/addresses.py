"""Everything in a text that a program might turn into a link or load: found, taken apart, replaced.

Owns shapes: Markdown, HTML, bare URLs of any scheme, bare domains. Not here: which may stay (guardrails/links.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

LONGEST = 32_000

# Marks that show nothing: they hide a link from patterns, never from the program that shows it.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_JOINER = re.compile("(?<=[\x00-\x7f])\u200d|\u200d(?=[\x00-\x7f])")  # elsewhere it joins emoji

_IMAGE = re.compile(r"!\[(?P<label>[^\]\n]{0,300})\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])?")
_MARKDOWN = re.compile(
    r"\[(?P<label>[^\[\]\n]{0,300}|\[[^\]\n]{0,100}\])\]\s{0,2}\(\s*<?(?P<url>[^)>\n]{1,2000}?)>?(?:\s+[\"'(][^)\n]{0,200})?\s*\)"
)
_REFERENCE = re.compile(r"^[ \t]{0,3}\[[^\]\n]{1,200}\]:[ \t]*\S[^\n]{0,2000}$", re.MULTILINE)
_BY_REFERENCE = re.compile(r"\[(?P<label>[^\[\]\n]{1,300})\]\[(?!\d{1,3}\])[^\[\]\n]{0,200}\]")
_TAG = re.compile(
    r"</?[a-z!][^<>\n]{0,2000}(?:>|$)|<!--.{0,2000}?(?:-->|$)", re.IGNORECASE | re.DOTALL
)
_PLACEHOLDER = re.compile(r"<(?P<name>[a-z][a-z0-9_ -]{0,40})>", re.IGNORECASE)
_ELEMENTS = frozenset(
    """a abbr area article aside audio b base bdo big blockquote body br button canvas caption center cite code col dd
    del details dialog div dl dt em embed fieldset figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header
    hr html i iframe img input ins kbd label legend li link main map mark marquee math menu meta nav noscript object ol
    option p param picture pre q s samp script section select small source span strike strong style sub summary sup svg
    table tbody td template textarea tfoot th thead title tr track tt u ul var video wbr""".split()  # noqa: SIM905
)
_NOTHING_BEHIND = re.compile(r"https?:/{0,2}", re.IGNORECASE)
_ANGLED = re.compile(r"<(?P<url>[a-z][a-z0-9+.-]{1,30}:[^<>\s]{1,2000})>", re.IGNORECASE)
_URL = re.compile(
    r"(?<![\w@])(?:[a-z][a-z0-9+.-]{1,30}:[/\\]{2}\[[^\s]{1,200}"
    r"|(?:[a-z][a-z0-9+.-]{1,30}:[/\\]{1,3}|(?:data|javascript|vbscript|mailto|tel|sms|callto|skype|intent|blob|file|view-source):|www\.|(?<![:/\w])//(?=[\w\[]))[^\s<>\"'`|{}\[\]]{1,2000})",
    re.IGNORECASE,
)
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(
    rf"(?<![\w./\\-])(?<!\w@)(?:{_LABEL}[.。．｡]){{1,8}}(?P<end>[^\W\d_]{{2,24}}|xn--[\w-]{{1,60}})(?P<rest>(?::\d{{1,5}})?(?:[/?#\\][^\s<>\"'`|{{}}\[\]]{{0,2000}})?)(?![\w-]|@\w[\w-]*\.\w)"
)
_NUMERIC = re.compile(
    r"(?<![\w@./\\-])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?[/?#\\][^\s<>\"'`]{0,2000}"
)
# Endings that programs link although nobody wrote a scheme. Files are named like domains; these end no file.
_ENDINGS = frozenset(
    """com net org io co dev app ai info biz xyz online site shop store tech cloud club live link click page pages top
    icu vip pro me tv cc ws us uk de fr es it nl be ch at eu se no dk fi pl pt ie cz gr hu ro bg tr ru ua cn jp kr in br
    mx ar cl pe ve uy ca au nz za hk sg tw th vn id ph my ng ke eg il ae sa ir pk tk ml ga cf gq su onion zip mov gov edu
    mil int example test invalid localhost local internal news blog wiki space website fun host press agency email
    digital network systems solutions services support help chat social group world today life media design studio
    zone money bank pay finance credit loan gift sale deals promo win bid trade date download stream video photo
    security software""".split()  # noqa: SIM905
)
# These end files as often as domains; with a path behind them, or a name before, they are domains.
_FILES = frozenset("md py sh rs pl so js ts ps cs st mm cpp doc docs".split())  # noqa: SIM905
_TRAILING = ".,;:!?…)]}*_~'\"”’»"


@dataclass(frozen=True, slots=True)
class Address:
    """One address as written. `host` is lower case without www, empty when it has none that can be trusted."""

    written: str
    scheme: str
    host: str
    rest: str


def address(url: str) -> Address:
    """Take an address apart the careful way: what programs read differently has no host."""
    written = url.strip().rstrip(_TRAILING)
    flat = unicodedata.normalize("NFKC", written)
    if "\\" in flat or any(ord(char) <= 32 for char in flat):
        return Address(written, "", "", flat)
    has_scheme = re.match(r"[a-z][a-z0-9+.-]*:", flat, re.IGNORECASE) and not re.match(
        r"[\w.-]+:\d", flat
    )
    try:
        parts = urlsplit(flat if has_scheme or flat.startswith("//") else f"//{flat}")
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return Address(written, "", "", flat)
    rest = flat.partition(parts.netloc)[2] if parts.netloc else flat
    scheme = parts.scheme.lower() or "https"
    # user@host shows one name and leads to another; an odd port is another server.
    trusted = (
        bool(parts.netloc) and "@" not in parts.netloc and port in (None, 443) and host.isascii()
    )
    return Address(written, scheme, host.rstrip(".").removeprefix("www.") if trusted else "", rest)


def hides_address(rest: str) -> bool:
    """Return whether what follows the host carries another address: a redirect, or data on its way out."""
    for _ in range(3):
        if re.search(r"[a-z][a-z0-9+.-]*:[/\\]|//|\\|@", rest, re.IGNORECASE) or _is_domain_in(
            rest
        ):
            return True
        plainer = unquote(rest)
        if plainer == rest:
            return False
        rest = plainer
    return True


def _is_domain_in(rest: str) -> bool:
    pieces = re.split(r"[/?#&=;,]", rest)
    return any(
        (found := _DOMAIN.fullmatch(piece)) is not None and found["end"].lower() in _ENDINGS
        for piece in pieces
    )


def visible(text: str) -> str:
    """Return the text without marks that show nothing, letters in their plain form where that makes an address."""
    text = _JOINER.sub("", _INVISIBLE.sub("", text))
    plain = unicodedata.normalize("NFKC", text)
    return plain if plain != text and _count(plain) > _count(text) else text


def _count(text: str) -> int:
    return sum(1 for _ in _URL.finditer(text)) + sum(1 for _ in bare_domains(text, ()))


def bare_domains(text: str, said: Collection[str]) -> list[re.Match[str]]:
    """Return domains written without a scheme; what `said` has as a word of its own may be a file's name."""
    return [match for match in _DOMAIN.finditer(text) if _is_linked(match, said)]


def _is_linked(match: re.Match[str], said: Collection[str]) -> bool:
    written, end, rest = match[0], match["end"].lower(), match["rest"]
    name = unicodedata.normalize("NFKC", written)
    if not name.isascii() or "xn--" in name.lower():
        return True
    if (
        rest.startswith((":", "/", "?", "\\"))
        and len(end) >= 2
        and (end in _ENDINGS or end in _FILES or "/" in rest)
    ):
        return True
    if end in _FILES:
        return written.count(".") > 1 and not any(written in source for source in said)
    return end in _ENDINGS


def rewrite(
    text: str, allowed: Callable[[str], str], said: Collection[str] = (), gone: str = ""
) -> str:
    """Return the text with every address passed through `allowed`: what it returns stays, "" goes.

    Images always go; a Markdown link whose address goes keeps its words; HTML goes, its words stay. `gone` is said
    in the place of an address that stood alone.
    """
    text = visible(text[:LONGEST])
    text = _IMAGE.sub(lambda m: m["label"], text)
    text = _REFERENCE.sub("", text)
    text = _BY_REFERENCE.sub(lambda m: m["label"], text)
    kept: list[str] = []

    def keep(found: str) -> str:
        # Set aside, so that later patterns do not look at it again.
        kept.append(found)
        return f"\x02{len(kept) - 1}\x03"

    def linked(match: re.Match[str]) -> str:
        url = allowed(match["url"])
        label = match["label"]
        return keep(f"[{label}]({url})") if url and not _bears_address(label) else label

    def plain(match: re.Match[str]) -> str:
        written = match[0]
        core = written.rstrip(_TRAILING)
        if _NOTHING_BEHIND.fullmatch(core):  # it is spoken of: "starts with https://"
            return keep(core) + written[len(core) :]
        url = allowed(core)
        stays = url or gone
        return (keep(stays) if stays else "") + written[len(core) :]

    text = text.replace("\x02", "").replace("\x03", "")
    text = _MARKDOWN.sub(linked, text)
    text = _ANGLED.sub(lambda m: keep(url) if (url := allowed(m["url"])) else "", text)
    text = _TAG.sub(lambda m: m[0] if _is_placeholder(m[0]) else "", text)
    text = _URL.sub(plain, text)
    text = _NUMERIC.sub(plain, text)
    linkable = {match.span() for match in bare_domains(text, said)}
    text = _DOMAIN.sub(lambda m: plain(m) if m.span() in linkable else m[0], text)
    return re.sub("\x02(\\d+)\x03", lambda m: kept[int(m[1])], text)


def _is_placeholder(tag: str) -> bool:
    """Return whether it is a blank to fill in, as docs write them: <timestamp>, <your team>."""
    found = _PLACEHOLDER.fullmatch(tag)
    return found is not None and found["name"].split()[0].lower() not in _ELEMENTS


def _bears_address(label: str) -> bool:
    """Return whether a link's words show an address themselves (and so may show another than they lead to)."""
    return bool(_URL.search(label) or bare_domains(label, ()))
