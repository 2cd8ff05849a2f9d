"""Prompts as data: the files in prompts/, filled with what a call is about.

Everything that comes from outside is fenced with a code made for this call, cut to a budget, and
put in in one pass, so that a placeholder or a fence inside a passage stays text.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import MisconfiguredError
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
CHARS_PER_TOKEN = 4
MAX_TALK = 8
MAX_SAID_CHARS = 700
MAX_QUESTION_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file. `version` goes into traces, so that a change of words can be told."""

    name: str
    version: str
    system: str
    user: str

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
    return Prompt(name, version[1], parts["system"].strip(), parts["user"].strip())


def _fill(text: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: slots[slot[1]], text)


def new_fence() -> str:
    """Return a code that nobody can have written into a passage beforehand."""
    return secrets.token_hex(6)


def language(locale: str) -> str:
    """Return the language's English name, or its code."""
    short = locale.replace("_", "-").split("-")[0].lower()
    return _LANGUAGES.get(short, short or "English")


def talk_lines(talk: Sequence[Said]) -> str:
    """Return the last utterances, one a line, shortened."""
    lines = [
        f"{said.role}: {' '.join(said.text.split())[:MAX_SAID_CHARS]}" for said in talk[-MAX_TALK:]
    ]
    return "\n".join(lines) or "(none)"


def passage_blocks(passages: Sequence[Passage], fence: str, max_tokens: int) -> str:
    """Return the passages numbered from 1 and fenced.

    Those over the budget are left out, last first.
    """
    blocks: list[str] = []
    left = max_tokens * CHARS_PER_TOKEN
    for number, passage in enumerate(passages, start=1):
        place = " › ".join(part for part in (passage.title, passage.section) if part)
        block = f"<<passage {number} {fence}>> {place}\n{passage.text.strip()}\n<<end {fence}>>"
        if blocks and len(block) > left:
            break
        blocks.append(block[: max(left, 400)])
        left -= len(block)
    return "\n\n".join(blocks)
