"""Our own scripts made small for serving: comments, whitespace and the length of local names.

Owns a lexer of the JavaScript we write (no other) and renaming that is safe because it is timid: a name is
shortened everywhere or nowhere, and only when no occurrence of it can be a property, a key or a global.
Not here: any understanding of scopes. Properties, strings and what templates print stay as written, but for the
line breaks of a template, which are layout.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<number>\.?\d[\w.]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<op>=>|\.\.\.|\?\.(?!\d)|\?\?=|\|\|=|&&=|\*\*=|>>>=|<<=|>>=|===|!==|\*\*|\?\?|\|\||&&|\+\+|--
       |>>>|<<|>>|==|!=|<=|>=|\+=|-=|\*=|%=|&=|\|=|\^=|[-+*%&|^!~<>=?:;,.(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_LAYOUT = re.compile(
    r"\n[ \t]*"
)  # of a style sheet in a template: no template of ours prints lines
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """async await break case catch class const continue default delete do else export extends
    false finally for from function get if import in instanceof let new null of return set
    static super switch this throw true try typeof undefined var void while with yield
    arguments constructor""",
    )
)
# globals of a browser that a script may also use as a local name
_SHARED = frozenset(
    re.findall(
        r"\w+",
        """name status event open close stop top self parent length location history screen find
    focus blur print origin scroll alert confirm prompt frames opener external toolbar menubar""",
    )
)
_NO_PARAMETERS = frozenset({"if", "for", "while", "switch", "with"})
_BEFORE_REGEX = frozenset(
    {"return", "typeof", "case", "of", "in", "delete", "void", "throw", "new"}
)
_FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"


@dataclass(frozen=True, slots=True)
class _Token:
    """One piece of source. `broken` when a line ended before it; `parts` are a template's own tokens."""

    kind: str
    text: str
    broken: bool = False
    parts: tuple["str | tuple[_Token, ...]", ...] = ()


def minify(source: str) -> str:
    """Return the same program, smaller. Raises ValueError for source this lexer does not know."""
    tokens, end = _lex(source, 0, until="")
    if end != len(source):
        raise ValueError(f"stopped at {source[end : end + 40]!r}")
    return "".join(_written(tokens, _renaming(tokens)))


def _lex(source: str, at: int, until: str) -> tuple[tuple[_Token, ...], int]:
    """Read tokens up to a closing brace of its own (`until`), or to the end."""
    found: list[_Token] = []
    depth, broken = 0, False
    while at < len(source):
        if source[at] == "`":
            token, at = _template(source, at, broken=broken)
            found.append(token)
            broken = False
            continue
        match = _REGEX.match(source, at) if _regex_may_begin(source, at, found) else None
        kind = "regex"
        if match is None:
            match = _TOKEN.match(source, at)
            kind = str(match.lastgroup) if match else ""
        if match is None:
            if source[at] != "/":
                raise ValueError(f"unknown source at {source[at : at + 40]!r}")
            found.append(_Token("op", "/", broken))
            at, broken = at + 1, False
            continue
        text = match.group()
        if kind in ("space", "comment"):
            broken = broken or "\n" in text
        else:
            depth += (text == "{") - (text == "}") if kind == "op" else 0
            if until and depth < 0:
                return tuple(found), at
            found.append(_Token(kind, text, broken))
            broken = False
        at = match.end()
    return tuple(found), at


def _regex_may_begin(source: str, at: int, found: Sequence[_Token]) -> bool:
    if source[at] != "/" or source[at : at + 2] in ("//", "/*"):
        return False
    if not found:
        return True
    last = found[-1]
    if last.kind == "op":
        return last.text not in (")", "]")
    return last.kind == "name" and last.text in _BEFORE_REGEX


def _template(source: str, at: int, *, broken: bool) -> tuple[_Token, int]:
    parts: list[str | tuple[_Token, ...]] = []
    begin = at = at + 1
    while source[at] != "`":
        if source[at] == "\\":
            at += 2
        elif source.startswith("${", at):
            parts.append(source[begin:at])
            inner, at = _lex(source, at + 2, until="}")
            parts.append(inner)
            begin = at = at + 1
        else:
            at += 1
    parts.append(source[begin:at])
    return _Token("template", "`", broken, tuple(parts)), at + 1


def _flat(tokens: Sequence[_Token]) -> Iterator[_Token]:
    """Yield tokens in order, a template's inner ones in brackets of their own."""
    for token in tokens:
        yield token
        for part in token.parts:
            if not isinstance(part, str):
                yield _Token("op", "(")
                yield from _flat(part)
                yield _Token("op", ")")


# ---------------------------------------------------------------- names


def _renaming(tokens: Sequence[_Token]) -> Mapping[str, str]:
    """Return long name → short name for what is only ever a local variable."""
    flat = list(_flat(tokens))
    partners = _partners(flat)
    declared, kept = set[str](), set(_RESERVED | _SHARED)
    for index, token in enumerate(flat):
        if token.kind == "op" and token.text == "=>":
            declared |= _parameters(flat, partners, index - 1)
        elif token.kind == "op" and token.text == "{" and index and flat[index - 1].text == ")":
            opened = partners[index - 1]
            if opened and flat[opened - 1].text not in _NO_PARAMETERS:
                declared |= _parameters(flat, partners, index - 1)
        if token.kind == "name" and token.text not in _RESERVED:
            declared |= {token.text} if _is_declared(flat, index) else set()
            kept |= {token.text} if _is_property(flat, partners, index) else set()
    declared |= _patterns(flat, partners)
    used = Counter(t.text for t in flat if t.kind == "name")
    short = _short_names(set(used))
    order = sorted((n for n in declared - kept if len(n) > 1), key=lambda n: (-used[n], n))
    return {name: next(short) for name in order}


def _partners(flat: Sequence[_Token]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for index, token in enumerate(flat):
        if token.kind == "op" and token.text in "([{":
            stack.append(index)
        elif token.kind == "op" and token.text in ")]}":
            pairs[index] = stack.pop()
            pairs[pairs[index]] = index
    return pairs


def _parameters(flat: Sequence[_Token], partners: Mapping[int, int], last: int) -> set[str]:
    if flat[last].kind == "name":
        return {flat[last].text} - _RESERVED
    if flat[last].text != ")":
        return set()
    return _bound(flat, partners[last], last)


def _bound(flat: Sequence[_Token], opened: int, closed: int) -> set[str]:
    """Return the names a parameter list or array pattern binds; defaults are taken in and do no harm."""
    return {
        flat[i].text
        for i in range(opened + 1, closed)
        if flat[i].kind == "name" and flat[i - 1].text in ("(", "[", ",", "...")
    } - _RESERVED


def _patterns(flat: Sequence[_Token], partners: Mapping[int, int]) -> set[str]:
    found: set[str] = set()
    for index, token in enumerate(flat[:-1]):
        if token.text in ("const", "let", "var") and flat[index + 1].text == "[":
            found |= _bound(flat, index + 1, partners[index + 1])
    return found


def _is_declared(flat: Sequence[_Token], index: int) -> bool:
    return index > 0 and flat[index - 1].text in ("const", "let", "var", "function", "class")


def _is_property(flat: Sequence[_Token], partners: Mapping[int, int], index: int) -> bool:
    """Return whether this occurrence may be a property, key, method or shorthand."""
    before = flat[index - 1].text if index else ""
    after = flat[index + 1].text if index + 1 < len(flat) else ""
    if before in (".", "?.", "get", "set", "async") or after == ":":
        return True
    if after == "(" and before in ("{", "}", ";", ","):
        beyond = partners[index + 1] + 1
        return beyond < len(flat) and flat[beyond].text == "{"
    return _inside(flat, index) == "{" and before in ("{", ",") and after in (",", "}", "=")


def _inside(flat: Sequence[_Token], index: int) -> str:
    """Return the bracket that encloses a token directly."""
    depth = 0
    for at in range(index - 1, -1, -1):
        text = flat[at].text if flat[at].kind == "op" else ""
        if text and text in ")]}":
            depth += 1
        elif text and text in "([{":
            if depth == 0:
                return text
            depth -= 1
    return ""


def _short_names(taken: set[str]) -> Iterator[str]:
    for length in (1, 2):
        for letters in product(_FIRST, repeat=length):
            name = "".join(letters)
            if name not in taken and name not in _RESERVED:
                yield name


# ---------------------------------------------------------------- writing


def _written(tokens: Sequence[_Token], names: Mapping[str, str]) -> Iterator[str]:
    last = _Token("op", ";")
    property_next = False
    for token in tokens:
        text = token.text
        if token.kind == "template":
            text = "".join(
                _LAYOUT.sub("", part)
                if isinstance(part, str)
                else "${" + "".join(_written(part, names)) + "}"
                for part in token.parts
            )
            text = f"`{text}`"
        elif token.kind == "name" and not property_next:
            text = names.get(text, text)
        yield _gap(last, token)
        yield text
        property_next = token.text in (".", "?.")
        last = token


def _gap(last: _Token, token: _Token) -> str:
    """Return what must stand between two tokens: a line's end where a statement may end with it."""
    ends = last.kind != "op" or last.text in ")]}" or last.text in ("++", "--")
    begins = token.kind != "op" or token.text in "([{+-!" or token.text in ("++", "--")
    if token.broken and ends and begins:
        return "\n"
    words = ("name", "number", "regex")
    if last.kind in words and token.kind in words:
        return " "
    if last.kind == token.kind == "op" and last.text[-1] in "+-" and token.text[0] == last.text[-1]:
        return " "
    return " " if last.text.endswith("/") and token.kind == "regex" else ""
