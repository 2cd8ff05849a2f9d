"""Prompts as data: the files in prompts/, filled with what a call is about.

Everything that comes from outside is fenced with a code made for this call, cut to a budget, and
put in in one pass, so that a placeholder or a fence inside a passage stays text.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import MisconfiguredError
from core.pii import SECRET, find, mask
from core.ports import Voice
from core.turns import Passage
from core.understanding import Said

_FOLDER = Path(__file__).parent / "prompts"
_VERSION = re.compile(r"<!-- version: (\w+) -->\n")
_PARTS = re.compile(r"# system\n(?P<system>.+?)\n# user\n(?P<user>.+)", re.DOTALL)
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_LANGUAGES = {
    "en": "English", "es": "Spanish", "de": "German", "fr": "French", "it": "Italian",
    "pt": "Portuguese", "nl": "Dutch", "pl": "Polish", "sv": "Swedish", "ja": "Japanese",
}  # fmt: skip
# What chat models take for the turn of a speaker or the end of data, and marks that show nothing.
_ROLE = re.compile(
    r"^([ \t>*#-]*(?:system|assistant|developer|user|human|ai|tool|function)(?:[ \t]+(?:message|prompt))?)[ \t]*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(
    r"<\|[^|\n]{0,40}\|>|\[/?(?:INST|SYS)\]|<</?SYS>>|</?(?:s|system|assistant|user|instructions?|passage|question|talk)>",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    "[\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
CHARS_PER_TOKEN = 4
MAX_TALK = 8
MAX_SAID_CHARS = 700
MAX_QUESTION_CHARS = 2_000
MAX_STYLE_CHARS = 600
# What a level asks for in words a model can follow; how it is measured: core/reading.py.
_LEVELS = {
    "easy": "very easy to read: everyday words, one thought a sentence, at most 12 words each",
    "plain": "plain: common words, sentences of at most 20 words, product words only as the passages have them",
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file. Its label goes into traces, so that a change of words can be told."""

    name: str
    version: str
    system: str
    user: str
    digest: str = ""

    @property
    def label(self) -> str:
        """Return name@version and the beginning of the text's SHA-256: `answer@2#1f0c55aa`."""
        return f"{self.name}@{self.version}#{self.digest}"

    def fill(self, slots: Mapping[str, str]) -> tuple[str, str]:
        """Return (system, user) with every {{slot}} filled once.

        KeyError for a slot without a value.
        """
        return _fill(self.system, slots), _fill(self.user, slots)


def read_prompt(name: str, folder: Path = _FOLDER) -> Prompt:
    """Return the prompt in `name`.md.

    Blocking. Raises MisconfiguredError for a file that does not fit.
    """
    text = (folder / f"{name}.md").read_text("utf-8")
    version = _VERSION.match(text)
    parts = _PARTS.search(text)
    if version is None or parts is None:
        raise MisconfiguredError(f"prompt {name!r} lacks its version line, '# system' or '# user'")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Prompt(name, version[1], parts["system"].strip(), parts["user"].strip(), digest)


def _fill(text: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: slots[slot[1]], text)


def new_fence() -> str:
    """Return a code that nobody can have written into a passage beforehand."""
    return secrets.token_hex(6)


def language(locale: str) -> str:
    """Return the language's English name, or its code."""
    short = locale.replace("_", "-").split("-")[0].lower()
    return _LANGUAGES.get(short, short or "English")


def clean(text: str) -> str:
    """Return data without what could pose as something else: role markers, special tokens, hidden marks, our fences."""
    text = _TOKEN.sub(" ", _COMMENT.sub(" ", _UNSEEN.sub("", text)))
    return _ROLE.sub(r"\1 –", text).replace("<<", "‹‹").replace(">>", "››")


def talk_lines(talk: Sequence[Said]) -> str:
    """Return the last utterances, one a line, shortened."""
    lines = [
        f"{said.role}: {' '.join(clean(said.text).split())[:MAX_SAID_CHARS]}"
        for said in talk[-MAX_TALK:]
    ]
    return "\n".join(lines) or "(none)"


def style_lines(voice: Voice) -> str:
    """Return how the reply should sound, a line each, cleaned as all data is."""
    wanted = {
        "Persona": voice.persona,
        "Tone": voice.tone,
        "Reading level": _LEVELS.get(voice.level, ""),
    }
    lines = [
        f"{name}: {' '.join(clean(text).split())[:MAX_STYLE_CHARS]}"
        for name, text in wanted.items()
        if text.strip()
    ]
    return "\n".join(lines) or "(nothing asked for)"


def style_label(voice: Voice) -> str:
    """Return what a prompt's label gets for a voice, so that a change of it can be told; nothing for none."""
    if voice == Voice():
        return ""
    return f"+voice#{hashlib.sha256(style_lines(voice).encode()).hexdigest()[:8]}"


def passage_blocks(passages: Sequence[Passage], fence: str, max_tokens: int) -> str:
    """Return the passages numbered from 1 and fenced.

    Those over the budget are left out, last first; internal ones always, whoever passed them on.
    """
    blocks: list[str] = []
    left = max_tokens * CHARS_PER_TOKEN
    for number, passage in enumerate(passages, start=1):
        if passage.internal:
            continue
        place = clean(" › ".join(part for part in (passage.title, passage.section) if part))
        text = clean(_without_secrets(passage.text)).strip()
        block = f"<<passage {number} {fence}>>\n{' '.join(place.split())}\n{text}\n<<end {fence}>>"
        if blocks and len(block) > left:
            break
        blocks.append(_shortened(block, max(left, 400), fence))
        left -= len(block)
    return "\n\n".join(blocks)


def _shortened(block: str, longest: int, fence: str) -> str:
    """Return the block within its length, its end mark kept."""
    end = f"\n<<end {fence}>>"
    return block if len(block) <= longest else block[: longest - len(end)] + end


def _without_secrets(text: str) -> str:
    """Return a passage without cards, identity numbers, passwords and keys; a company's own mail and phone stay."""
    return mask(text, [span for span in find(text, names=False) if span[0] in SECRET])
