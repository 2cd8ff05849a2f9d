"""Past questions out of a CSV, a Zendesk ticket export or an Intercom conversation export.

Owns the names of columns and keys, and what of a ticket is the question and what the human's answer.
Reads text only; thinks about nothing.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadInputError
from ingest.blocks import decode
from ingest.formats.html import html_text

MAX_QUESTIONS = 5_000
MAX_CHARS = 4_000
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "pregunta", "text", "message", "description", "subject"),
    "answer": ("answer", "respuesta", "reply", "human_answer", "resolution"),
    "topic": ("topic", "tema", "category", "section", "group", "intent"),
    "asker": ("asker", "customer", "contact", "email", "user", "requester", "requester_id"),
}
_TAG = re.compile(r"<[a-z/][^>]*>", re.IGNORECASE)
_GREETING = re.compile(
    r"\A\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hola|buen[oa]s \w+|estimad[oa])\b"
    r"[^\n,!.:?]{0,40}[,!.:]\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\n\s*(?:best|kind|warm)?\s*(?:regards|wishes|cheers|thanks|thank you|sincerely|saludos|un saludo)\b.{0,120}\Z",
    re.IGNORECASE | re.DOTALL,
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """What a customer asked, with what a person answered, under which topic, and who asked, if known."""

    text: str
    answer: str | None = None
    topic: str | None = None
    asker: str | None = None

    @property
    def gist(self) -> str:
        """The question without salutation and farewell."""
        return _without_manners(self.text) or self.text


def read_questions(name: str, data: bytes) -> tuple[PastQuestion, ...]:
    """Return the questions of a file; rows without one are left out.

    Raises BadInputError with a sentence when it is none of the known shapes, has no questions, or more
    than `MAX_QUESTIONS`.
    """
    try:
        text = decode(data)
    except ValueError as error:
        raise BadInputError(f"{name}: {error}") from error
    is_json = text.lstrip()[:1] in ("{", "[")
    found = tuple(_of_json(name, text) if is_json else _of_csv(name, text))
    if not found:
        raise BadInputError(f"{name} holds no questions")
    if len(found) > MAX_QUESTIONS:
        raise BadInputError(f"{name} holds {len(found)} questions; at most {MAX_QUESTIONS} are run")
    return found


def _of_csv(name: str, text: str) -> Iterator[PastQuestion]:
    first = text.lstrip().partition("\n")[0]
    csv.field_size_limit(1_000_000)
    lines = csv.DictReader(
        io.StringIO(text.lstrip(), newline=""), delimiter=max(",;\t|", key=first.count)
    )
    columns = {str(each).strip().lower().replace(" ", "_"): each for each in lines.fieldnames or ()}
    picked = {
        field: next((columns[each] for each in names if each in columns), None)
        for field, names in _COLUMNS.items()
    }
    if picked["question"] is None:
        raise BadInputError(f"{name} has no column `question`")
    for line in lines:
        given = {
            field: _plain(line.get(column) if column else None) for field, column in picked.items()
        }
        if given["question"]:
            yield PastQuestion(
                given["question"],
                _without_manners(given["answer"]),
                given["topic"] or None,
                given["asker"] or None,
            )


def _of_json(name: str, text: str) -> Iterator[PastQuestion]:
    rows = list(_objects(name, text))
    for row in rows:
        read = _intercom if "conversation_parts" in row or "source" in row else _zendesk
        question = read(row)
        if question is not None:
            yield question


def _objects(name: str, text: str) -> Iterator[Row]:
    try:
        data = json.loads(text)
    except ValueError:
        try:
            data = [json.loads(line) for line in text.split("\n") if line.strip()]
        except ValueError as error:
            raise BadInputError(f"{name} is broken JSON: {error}") from error
    for part in data if isinstance(data, list) else [data]:
        lists = ("tickets", "conversations", "data", "questions", "results")
        nested = next((part[k] for k in lists if isinstance(_dict(part).get(k), list)), [part])
        yield from (each for each in nested if isinstance(each, dict))


def _zendesk(ticket: Row) -> PastQuestion | None:
    """Read a ticket: what was written first is the question, the first public word of another the answer."""
    comments = [c for c in _list(ticket.get("comments")) if isinstance(c, dict)]
    asker = ticket.get("requester_id") or ticket.get("submitter_id")
    asked = _plain(ticket.get("question") or ticket.get("description"))
    if not asked and comments:
        asked = _body(comments[0])
    subject = _plain(ticket.get("subject"))
    if subject and subject.rstrip(".…").lower() not in asked.lower():
        asked = f"{subject}\n{asked}".strip()
    answers = (
        _body(c)
        for c in comments
        if c.get("public", True) and asker is not None and c.get("author_id") != asker
    )
    answer = _plain(ticket.get("answer")) or next((each for each in answers if each), "")
    topic = _plain(ticket.get("topic") or ticket.get("group"))
    if not asked:
        return None
    return PastQuestion(
        _cut(asked), _without_manners(answer), topic or None, str(asker) if asker else None
    )


def _intercom(conversation: Row) -> PastQuestion | None:
    """Read a conversation: what opened it is the question, an admin's first comment the answer."""
    source = _dict(conversation.get("source"))
    author = _dict(source.get("author"))
    if author.get("type") in ("admin", "bot", "team"):
        return None  # an outbound message is no question
    parts = _dict(conversation.get("conversation_parts")).get("conversation_parts")
    answers = (
        _plain(part.get("body"))
        for part in _list(parts)
        if isinstance(part, dict)
        and part.get("part_type", "comment") == "comment"
        and _dict(part.get("author")).get("type") == "admin"
    )
    asked = _plain(source.get("body")) or _plain(source.get("subject"))
    if not asked:
        return None
    topics = [
        _dict(tag).get("name") for tag in _list(_dict(conversation.get("topics")).get("topics"))
    ]
    return PastQuestion(
        _cut(asked),
        _without_manners(next((each for each in answers if each), "")),
        _plain(topics[0]) or None if topics else None,
        str(author.get("id") or author.get("email") or "") or None,
    )


def _body(comment: Row) -> str:
    return _plain(comment.get("plain_body") or comment.get("body") or comment.get("html_body"))


def _plain(value: object) -> str:
    """Return a value as text, HTML read as a reader would."""
    text = str(value) if isinstance(value, str | int | float) else ""
    if _TAG.search(text):
        text = html_text(re.sub(r"</(?:p|div|li|h\d)>|<br\s*/?>", "\n", text))
    return _cut(re.sub(r"[^\S\n]+", " ", text).strip())


def _cut(text: str) -> str:
    return text[:MAX_CHARS]


def _without_manners(text: str) -> str | None:
    """Return a text without salutation and farewell, which no page would say."""
    return _CLOSING.sub("", _GREETING.sub("", text)).strip() or None


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _dict(value: object) -> Row:
    return value if isinstance(value, dict) else {}
