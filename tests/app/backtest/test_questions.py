import json
from typing import Any

import pytest

from app.backtest import questions
from app.backtest.questions import PastQuestion, read_questions
from core.errors import BadInputError


def of(name: str, content: str | dict[str, Any] | list[Any]) -> list[PastQuestion]:
    text = content if isinstance(content, str) else json.dumps(content)
    return list(read_questions(name, text.encode()))


def test_csv_by_the_names_of_its_columns() -> None:
    text = (
        "Topic,Question,Answer,Email,More\n"
        'Billing,"Can I\npay by card?","Hello Ana,\nYes, you can.\n\nKind regards,\nMaya",ana@x.example,z\n'
        ",What is SSO?,,,\n"
        "Billing,,An answer to nothing,,\n"
        ",,,,\n"
    )
    assert of("a.csv", text) == [
        PastQuestion("Can I\npay by card?", "Yes, you can.", "Billing", "ana@x.example"),
        PastQuestion("What is SSO?"),
    ]


def test_csv_of_another_encoding_and_separator() -> None:
    data = "pregunta;respuesta\n¿Cuánto cuesta?;Buenos días, cuesta 10 €.\n".encode("cp1252")
    assert read_questions("a.csv", data) == (PastQuestion("¿Cuánto cuesta?", "cuesta 10 €."),)


def test_zendesk_tickets() -> None:
    ticket = {
        "id": 1, "requester_id": 7, "subject": "Invoice missing", "description": "I cannot find it.",
        "comments": [
            {"author_id": 7, "body": "I cannot find it.", "public": True},
            {"author_id": 9, "body": "Check with finance first", "public": False},
            {"author_id": 9, "html_body": "<p>Hi Bo,</p><p>It is under <b>Billing</b>.</p>", "public": True},
            {"author_id": 9, "body": "Anything else?", "public": True},
        ],
    }  # fmt: skip
    told = {"requester_id": 8, "subject": "How to export?", "description": "How to export? As CSV."}
    found = of("tickets.json", {"tickets": [ticket, told, {"id": 3}]})
    assert found == [
        PastQuestion("Invoice missing\nI cannot find it.", "It is under Billing.", None, "7"),
        PastQuestion("How to export? As CSV.", None, None, "8"),
    ]
    lines = "\n".join(json.dumps(t) for t in (ticket, told))
    assert of("tickets.jsonl", lines) == found


def test_intercom_conversations() -> None:
    def conversation(author: str, *parts: tuple[str, str, str]) -> dict[str, Any]:
        return {
            "type": "conversation",
            "source": {
                "author": {"type": author, "id": "u1"},
                "body": "<p>Is there an <i>API</i>?</p>",
            },
            "conversation_parts": {
                "conversation_parts": [
                    {"part_type": kind, "author": {"type": who}, "body": body}
                    for kind, who, body in parts
                ]
            },
        }

    asked = conversation(
        "user",
        ("comment", "bot", "We will be right back"),
        ("note", "admin", "internal words"),
        ("comment", "admin", "<p>Yes, see the docs.</p>"),
    )
    found = of(
        "c.json", {"type": "conversation.list", "conversations": [asked, conversation("admin")]}
    )
    assert found == [PastQuestion("Is there an API?", "Yes, see the docs.", None, "u1")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no column `question`"),
        ("a,b\n1,2\n", "no column `question`"),
        ("question\n\n", "holds no questions"),
        ("{broken", "is broken JSON"),
        ("[]", "holds no questions"),
        ('{"tickets": [{"subject": ""}]}', "holds no questions"),
    ],
)
def test_what_holds_no_questions_says_so(content: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        of("file", content)


def test_a_file_that_is_no_text_and_one_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInputError, match="not a text file"):
        read_questions("a.csv", b"\x00\x01\x02\xff" * 400)
    monkeypatch.setattr(questions, "MAX_QUESTIONS", 2)
    with pytest.raises(BadInputError, match="at most 2"):
        of("a.csv", "question\na\nb\nc\n")


def test_a_question_of_100_kb_is_cut() -> None:
    (found,) = of("a.csv", f"question\n{'x' * 100_000}\n")
    assert len(found.text) == questions.MAX_CHARS
