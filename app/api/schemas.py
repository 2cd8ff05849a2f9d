"""Shapes shared by several routes."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.errors import TooLargeError
from core.messages import StoredMessage
from core.turns import Citation

MAX_TEXT = 32_000


def _clean(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL byte is not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a lone surrogate is not text") from error
    return value


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise TooLargeError(f"a text has at most {MAX_TEXT} characters")
    return _clean(value)


# any string of a request: no NUL, encodable
Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_clean)]
MessageText = Annotated[str, AfterValidator(_text)]


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class CitationOut(BaseModel):
    """Where a claim is from."""

    number: int
    document: str
    title: str
    section: str
    quote: str
    url: str | None = None

    @classmethod
    def of(cls, citation: Citation) -> "CitationOut":
        """Return the public shape."""
        return cls(
            number=citation.number,
            document=citation.document,
            title=citation.title,
            section=citation.section,
            quote=citation.quote,
            url=citation.url,
        )


class MessageOut(BaseModel):
    """One message as the customer's side may see it."""

    id: str
    seq: int
    author: str
    author_name: str | None
    kind: str
    text: str
    channel: str
    status: str
    at: datetime
    citations: list[CitationOut]
    suggestions: list[str]

    @classmethod
    def of(cls, message: StoredMessage) -> "MessageOut":
        """Return the public shape."""
        return cls(
            id=message.id,
            seq=message.seq,
            author=message.author,
            author_name=message.author_name,
            kind=message.kind,
            text=message.text,
            channel=message.channel,
            status=message.status,
            at=message.created_at,
            citations=[CitationOut.of(c) for c in message.citations],
            suggestions=[q.value for q in message.quick_replies],
        )
