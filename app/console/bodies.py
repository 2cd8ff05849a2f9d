"""What the console's pages send. Unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

MAX_REPLY = 10_000
MAX_ANSWER = 20_000  # more than may be approved, so that the review can say so


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


class ReplyIn(TextIn):
    """A reply.

    `files` are ids of files put before; `cc` those of the thread's others who get it too, `confirmed` the outsiders
    a person said yes to.
    """

    files: list[Annotated[str, Field(pattern=r"^fil_[0-9a-f]{32}$")]] = Field(
        default=[], max_length=10
    )
    cc: list[Word] = Field(default=[], max_length=30)
    confirmed: list[Word] = Field(default=[], max_length=31)


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


class MatchIn(Body):
    """A person's word on whether two contacts are one."""

    same: bool


class DismissIn(Body):
    """Why a gap needs no answer."""

    reason: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_said)]


class MergeIn(Body):
    """The gap that takes another one in."""

    into: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


class AnswerIn(Body):
    """An answer as an editor wrote it. `public` are addresses in it that are the company's own."""

    question: Annotated[str, Field(max_length=400), AfterValidator(_clean)]
    text: Annotated[str, Field(max_length=MAX_ANSWER), AfterValidator(_clean)]
    aliases: list[Annotated[str, Field(max_length=1000), AfterValidator(_clean)]] = Field(
        default=[], max_length=100
    )
    author: Annotated[str, Field(max_length=200), AfterValidator(_clean)] = ""
    internal: bool = False
    editions: list[Word] = Field(default=[], max_length=20)
    locale: Word = "en"
    review_by: AwareDatetime | None = None
    public: list[Word] = Field(default=[], max_length=50)


class WithdrawIn(Body):
    """Why an answer is no longer given."""

    reason: Annotated[str, Field(max_length=300), AfterValidator(_clean)] = ""


class TurnIn(Body):
    """One earlier utterance of an imagined talk."""

    role: Literal["customer", "bot", "human"]
    text: Words


class TryIn(Body):
    """A message a customer might write, and what was said before it."""

    text: Annotated[str, Field(min_length=1, max_length=8000), AfterValidator(_said)]
    talk: list[TurnIn] = Field(default=[], max_length=20)
    channel: Word = "web"
    edition: Word | None = None
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None


class CheckIn(Body):
    """A text to run the checks over."""

    text: Annotated[str, Field(min_length=1, max_length=8000), AfterValidator(_said)]
    direction: Literal["in", "out"]
    sources: list[Words] | None = Field(default=None, max_length=10)
    asked: Annotated[str, Field(max_length=8000), AfterValidator(_clean)] = ""


class PhraseIn(Body):
    """What a message should have been understood as; without an intent: none of the known ones."""

    text: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_said)]
    intent: Word | None = None


class ForgottenIn(Body):
    """Which phrases to take back: one by its text, or an intent with all of its."""

    text: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_said)] | None = None
    intent: Word | None = None


class BacktestIn(Body):
    """A file of past questions as text: CSV, or a Zendesk or Intercom export."""

    name: Word
    file: Annotated[str, Field(min_length=1, max_length=10_000_000)]
