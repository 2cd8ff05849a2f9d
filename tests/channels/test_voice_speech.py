"""What a voice says of a reply: no address, no markup, and no more of it than one can follow."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from channels._shared.voice_speech import MAX_SPOKEN, Link, aloud, sources, spoken, written
from core.ids import ConversationId, MessageId, PassageId
from core.messages import Author, MessageKind, StoredMessage
from core.turns import Citation
from tests.channels.serving import ROOT

LINES: dict[str, Any] = {
    locale: yaml.safe_load((ROOT / f"handlers/lines/{locale}.yaml").read_text("utf-8"))
    for locale in ("en", "es")
}
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
UNSAYABLE = re.compile(r"https?:|www\.|://|[*_`#|<>\[\]{}~^\\]")


def reply(text: str, **more: Any) -> StoredMessage:
    return StoredMessage(
        MessageId("msg_1"),
        ConversationId("cnv_1"),
        1,
        Author.BOT,
        MessageKind.REPLY,
        text,
        NOON,
        "voice",
        "delivered",
        **more,
    )


def said(text: str) -> str:
    return " ".join(spoken([reply(text)], "the link").parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open the board. [1]", "Open the board."),
        ("**Open** the _board_ and `export` it", "Open the board and export it."),
        ("See [our export page](https://a.example/x?y=1).", "See our export page."),
        ("See https://a.example/x.", "See the link."),
        ("See www.lumen.com/help now", "See the link now."),
        ("Look at help.lumen.io/export, please.", "Look at the link, please."),
        ("[https://a.example](https://a.example)", "the link."),
        ("Write to ana.ruiz@acme.example", "Write to ana dot ruiz at acme dot example."),
        ("Settings › People → Invite", "Settings, People, Invite."),
        ("- one\n- two\n\n1. three", "one. two. 1. three."),
        ("# Exports\nUnder Settings", "Exports. Under Settings."),
        ("Your order is 123456789.", "Your order is 1 2 3 4 5 6 7 8 9."),
        ("It costs $1,200.50 or 15 %", "It costs $1,200.50 or 15 %."),
        ("At 15:00 tomorrow!", "At 15:00 tomorrow!"),
        ("Done 🎉👍", "Done."),
        ("> quoted", "quoted."),
        ("```\ncode here\n```", "code here."),
        ("¿Cuándo? ¡Mañana!", "¿Cuándo? ¡Mañana!"),
        ("a & b < c", "a & b c."),
        ("", ""),
    ],
)
def test_a_reply_as_it_is_said(text: str, expected: str) -> None:
    assert said(text) == expected


def test_links_are_kept_to_be_texted() -> None:
    text = "See [the guide](https://a.example/g) or https://b.example/x_(y). Mail [us](mailto:a@b.example)."
    assert spoken([reply(text)], "the link").links == (
        Link("the guide", "https://a.example/g"),
        Link("the link", "https://b.example/x_(y"),
    )


def test_a_long_answer_comes_in_parts_cut_after_sentences() -> None:
    parts = spoken([reply("This is one sentence of the answer. " * 60)], "").parts
    assert len(parts) > 1
    assert max(map(len, parts)) <= MAX_SPOKEN
    assert all(part.endswith(".") for part in parts)


@given(
    st.text(max_size=400),
    st.sampled_from(("", "[x](https://e.example)", "**b** https://q.example/a")),
)
def test_nothing_unsayable_is_ever_said(text: str, more: str) -> None:
    assert UNSAYABLE.search(said(f"{text} {more}")) is None


def test_what_is_texted_names_the_pages() -> None:
    cited = Citation(
        1, PassageId("p"), "boards/export.md", "Export", "Export", "q", "https://d.example/e"
    )
    bare = Citation(2, PassageId("q"), "x.md", "Other", "Part", "q")
    answer = reply("Open the **board**. [1][2]", citations=(cited, bare))
    assert written([answer]) == "Open the **board**.\n\nExport: https://d.example/e"
    assert [page.label for page in sources([answer])] == ["Export", "Other, Part"]
    assert aloud("Boards › *Export*") == "Boards, Export."


@pytest.mark.parametrize("locale", ["en", "es"])
def test_no_sentence_of_a_call_has_anything_unsayable(locale: str) -> None:
    lines: dict[str, Any] = LINES[locale]
    said = {
        key: str(text.get("voice", text["default"]) if isinstance(text, dict) else text)
        for key, text in lines.items()
        if not key.startswith("words.")
    }
    calls = {
        key: text.replace("{", "").replace("}", "")
        for key, text in said.items()
        if key.startswith("voice.")
    }
    assert len(calls) > 40
    assert {key: text for key, text in calls.items() if UNSAYABLE.search(text)} == {}
