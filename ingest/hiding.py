"""Which HTML elements no reader sees: not shown, too small, off the screen, or white on white.

Owns inline styles and simple rules of the page's own style sheet (`.class`, `#id`). Fetches no
style sheet and computes no cascade.
"""

import re
from collections.abc import Mapping

from bs4 import Tag

_AT_RULE = re.compile(r"@[^{};]+(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"^[a-z]*([.#][\w-]+)$", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ZERO = re.compile(r"^0*\.?0*(?:px|em|rem|pt|%)?$")
_SMALL = re.compile(r"^(?:0?\.\d+|[01](?:\.\d+)?)(?:px|pt)$")
_FAR = re.compile(r"^-\s*(?:\d{4,}|9{3,})(?:\.\d+)?(?:px|em|rem|pt|vw)?$")
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)(?:[\s,/]+([\d.]+%?))?\s*\)")
_NEARLY_WHITE = 250
_WHITE = re.compile(r"^#(?:f{3,4}|(?:f[a-f\d]){3})$")

Style = Mapping[str, str]


class HiddenRules:
    """What a page's style sheet and styles hide."""

    def __init__(self, sheet: str = "") -> None:
        """Take the rules of `<style>` elements that hide one class or id."""
        self._hidden: set[str] = set()
        for selectors, body in _RULE.findall(_AT_RULE.sub("", _COMMENT.sub("", sheet))):
            if hides(declarations(body)):
                found = (_SIMPLE.match(each.strip()) for each in selectors.split(","))
                self._hidden.update(match[1] for match in found if match)

    def hides(self, tag: Tag) -> bool:
        """Tell whether the element is hidden by itself; what it stands in is not asked."""
        if tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
            return True
        names = [f".{name}" for name in tag.get_attribute_list("class")]
        names.append(f"#{tag.get('id')}")
        if not self._hidden.isdisjoint(names):
            return True
        style = declarations(str(tag.get("style") or ""))
        if tag.name == "font" and tag.get("color"):
            style = {"color": str(tag.get("color")).lower(), **style}
        if not style:
            return False
        return hides(style) or (is_white(style.get("color", "")) and not _has_background(tag))


def declarations(style: str) -> Style:
    """Return property → value of a style attribute, in lower case."""
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {
        name.strip(): value.replace("!important", "").strip()
        for name, colon, value in pairs
        if colon
    }


def hides(style: Style) -> bool:
    """Tell whether declarations make their element invisible."""
    get = style.get
    if get("display") == "none" or get("visibility") in ("hidden", "collapse"):
        return True
    size = get("font-size", "")
    if (size and (_ZERO.match(size) or _SMALL.match(size))) or get("opacity") in ("0", "0.0", "0%"):
        return True
    color = get("color", "")
    found = _RGB.match(color)
    if color == "transparent" or (found is not None and found[4] in ("0", "0.0", "0%")):
        return True
    if color and color == (get("background-color") or get("background")):
        return True
    far = ("text-indent", "left", "top", "right", "margin-left")
    return any(_FAR.match(get(name, "")) for name in far) or _is_clipped(style)


def is_white(color: str) -> bool:
    """Tell whether a CSS colour is white or next to it."""
    if color == "white" or _WHITE.match(color):
        return True
    found = _RGB.match(color)
    return found is not None and all(int(found[n]) >= _NEARLY_WHITE for n in (1, 2, 3))


def _is_clipped(style: Style) -> bool:
    boxed = [
        style[name] for name in ("width", "height", "max-height", "max-width") if name in style
    ]
    return style.get("overflow") == "hidden" and any(_ZERO.match(size) for size in boxed)


def _has_background(tag: Tag) -> bool:
    """Tell whether the element or one around it sets a background, by style or by old attribute."""
    for each in (tag, *tag.parents):
        if "background" in str(each.get("style") or "").lower() or each.has_attr("bgcolor"):
            return True
    return False
