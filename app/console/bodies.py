"""What the console's pages send. Unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_REPLY = 10_000


def _clean(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL byte is not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a lone surrogate is not text") from error
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("there is nothing in it")
    return _clean(value)


Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_clean)]
Words = Annotated[str, Field(min_length=1, max_length=MAX_REPLY), AfterValidator(_said)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")


class LoginIn(Body):
    """A mail address and a password of a tenant's team."""

    tenant: Word = "demo"
    email: Word
    password: Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_clean)]


class TextIn(Body):
    """A reply or a note. `key` makes a second attempt of the same one a duplicate."""

    text: Words
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]


class DraftIn(Body):
    """What becomes of a proposed reply; `text` with `edit` only."""

    action: Literal["send", "edit", "discard"]
    text: Words | None = None


class ModeIn(Body):
    """The conversation's own mode; None inherits the team's."""

    mode: Literal["auto", "draft", "manual"] | None


class PauseIn(Body):
    """Whether the bot is paused: everywhere, or on one channel."""

    paused: bool
    channel: Word | None = None


class ForgetIn(Body):
    """Which fact to forget."""

    key: Word


class GapIn(Body):
    """What became of a gap."""

    status: Literal["answered", "dismissed"]


class TryIn(Body):
    """A message a customer might write."""

    text: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_said)]
