"""Inboxes with their channel's settings: which environment prefix gives which secrets."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from core.contracts import Channel, ChannelSpec
from core.conversations import Inbox
from core.errors import NotFoundError
from core.settings import Section


class Inboxes:
    """Attaches settings to inbox rows; reads each prefix once a process."""

    def __init__(
        self,
        specs: Mapping[str, ChannelSpec],
        channels: Mapping[str, Channel],
        env_file: Path | None,
        simulated: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._specs = specs
        self._channels = channels
        self._env_file = env_file
        self._simulated = simulated or {}
        self._read: dict[tuple[str, str], Section] = {}

    def settings(self, channel: str, prefix: str = "") -> Section:
        """Return the channel's settings under a prefix; the section's own when it is empty."""
        key = (channel, prefix)
        if key not in self._read:
            section = self._specs[channel].settings
            options: dict[str, Any] = {"_env_prefix": prefix} if prefix else {}
            read = section(_env_file=self._env_file, **options)
            simulated = self._simulated.get(channel)
            # web chat is configured by its defaults: nothing said is not configured either
            free = not read.model_fields_set or not self._specs[channel].configured(read)
            if simulated is not None and not prefix and free:
                read = section(_env_file=None, **simulated)
            self._read[key] = read
        return self._read[key]

    def configured(self, channel: str) -> list[tuple[str, Literal["customer", "team"]]]:
        """Return the (address, kind) pairs the environment, or a stand-in, makes for a channel."""
        pairs = self._specs[channel].configured(self.settings(channel))
        return [(address, "team" if kind == "team" else "customer") for address, kind in pairs]

    def complete(self, inbox: Inbox) -> Inbox:
        """Return the inbox with its settings."""
        if inbox.channel not in self._specs:
            return inbox
        return replace(inbox, settings=self.settings(inbox.channel, inbox.env_prefix))

    def channel(self, name: str) -> Channel:
        """Return a channel. Raises NotFoundError when there is none of this name."""
        if name not in self._channels:
            raise NotFoundError(f"no channel {name!r}")
        return self._channels[name]

    def spec(self, name: str) -> ChannelSpec:
        """Return a channel's spec. Raises NotFoundError."""
        if name not in self._specs:
            raise NotFoundError(f"no channel {name!r}")
        return self._specs[name]
