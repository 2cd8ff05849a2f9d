"""A running form while a handler works on it.

Owns the working copy, what is being asked, and counting how often. Not here: what any form asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.conversations import Form
from core.effects import SetForm

MOST = 2  # times one thing is asked before choices or a person are offered


@dataclass(slots=True)
class Draft:
    """A form being filled in. `running` is True when it was running before this turn."""

    name: str
    slots: dict[str, object] = field(default_factory=dict)
    asking: str | None = None
    asked: dict[str, int] = field(default_factory=dict)
    running: bool = False

    @classmethod
    def resume(cls, name: str, form: Form | None) -> "Draft":
        """Return the running form of this name, or a fresh one."""
        if form is None or form.name != name:
            return cls(name)
        return cls(name, dict(form.slots), form.asking, dict(form.asked), running=True)

    def ask(self, slot: str) -> int:
        """Note that this is asked now; return how many times it has been."""
        self.asking = slot
        self.asked[slot] = self.asked.get(slot, 0) + 1
        return self.asked[slot]

    def is_worn_out(self, slot: str) -> bool:
        """Return whether the thing was asked as often as is decent."""
        return self.asked.get(slot, 0) >= MOST

    def text(self, slot: str) -> str | None:
        """Return a slot's value as text, None when empty."""
        value = self.slots.get(slot)
        return value if isinstance(value, str) and value else None

    def rows(self, slot: str) -> list[Mapping[str, object]]:
        """Return a slot that holds a list of mappings."""
        value = self.slots.get(slot)
        return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []

    def kept(self) -> SetForm:
        """Return the effect that keeps the form as it is now."""
        return SetForm(Form(self.name, dict(self.slots), self.asking, dict(self.asked)))
