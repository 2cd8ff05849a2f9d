"""What a reply looks like on every channel: its capabilities decide, and nothing is lost, torn or left raw."""

import re
from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from app import describe
from channels._shared.render import Words, render, words_for
from channels._shared.split import units
from core.contracts import Capabilities, ChannelSpec
from core.files import fits
from core.ids import InboxId, OutboxId, TenantId
from core.messages import Author, MessageKind, Outbound, QuickReply
from tests.channels.serving import YamlLines
from tests.conftest import NOON

SPECS = describe.channels()
every_channel = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
CHOOSE = "Reply with a number."

WORDS_OF_A_REPLY = st.sampled_from(
    ["Open", "the", "board.", "settings", "Then!", "é", "e\u0301", "👩‍👩‍👧‍👦", "🇪🇸", "नमस्ते", "각",
     "https://docs.example.com/a/b?c=d&e=(f)", "日本語。", "\n", "\n- one", "\n1. two", "1 < 2 & 3"]
)  # fmt: skip
REPLIES = st.lists(WORDS_OF_A_REPLY, min_size=1, max_size=600).map(" ".join)
LABELS = st.lists(
    st.text("abc ÄÉ&<", min_size=1, max_size=20).filter(str.strip), max_size=14, unique=True
)
LINK = "https://docs.example.com/a/b?c=d&e=(f)"


def shown(can: Capabilities) -> list[str]:
    """Mail is written in Markdown and sent as plain text and HTML: all of what a channel sends."""
    return ["plain", "html"] if can.markup == "markdown" else [can.markup]


@every_channel
def test_its_table_says_how_it_renders(spec: ChannelSpec) -> None:
    can = spec.capabilities
    assert can.max_buttons >= 0
    assert can.max_buttons == 0 or can.buttons
    assert can.media_bytes >= 0
    assert all(re.fullmatch(r"(\*|[a-z]+)/(\*|[a-z0-9.+-]+)", kind) for kind in can.media)
    assert can.window_hours >= 0


@every_channel
@settings(max_examples=40)
@given(text=REPLIES, labels=LABELS)
def test_choices_are_buttons_or_numbered_lines(
    spec: ChannelSpec, text: str, labels: list[str]
) -> None:
    replies = tuple(QuickReply(label, label) for label in labels)
    can = replace(spec.capabilities, max_chars=0)
    for markup in shown(can):
        (whole,) = render(
            text, replace(can, markup=markup), quick_replies=replies, words=Words(choose=CHOOSE)
        ) or [""]
        numbered = bool(labels) and not can.shows_buttons(len(labels))
        assert (CHOOSE in whole) == (numbered or CHOOSE in text)
        if markup == "plain" and numbered:
            for number, label in enumerate(labels, 1):
                assert f"\n{number}. {label}" in f"\n{whole}"


@every_channel
def test_more_choices_than_buttons_are_numbered(spec: ChannelSpec) -> None:
    can = spec.capabilities
    assert can.shows_buttons(1) == can.buttons
    assert not can.max_buttons or can.shows_buttons(can.max_buttons)
    assert not can.max_buttons or not can.shows_buttons(can.max_buttons + 1)


@pytest.mark.parametrize(("count", "numbered"), [(3, False), (4, True)])
def test_three_buttons_and_no_more(count: int, numbered: bool) -> None:
    can = Capabilities(buttons=True, max_buttons=3)
    replies = tuple(QuickReply(f"choice {n}", f"{n}") for n in range(count))
    (whole,) = render("Which?", can, quick_replies=replies, words=Words(choose=CHOOSE))
    assert ("1. choice 0" in whole) == numbered
    outbound = Outbound(
        OutboxId("out_1"), TenantId("demo"), InboxId("inb_1"), "sms", "+1", "Which?",
        Author.BOT, MessageKind.REPLY, NOON, quick_replies=replies,
    )  # fmt: skip
    assert bool(words_for(outbound, YamlLines(), can).choose) == numbered


@every_channel
@settings(max_examples=60)
@given(text=REPLIES, limit=st.sampled_from([100, 160, 320]))
def test_parts_fit_and_tear_neither_links_nor_graphemes(
    spec: ChannelSpec, text: str, limit: int
) -> None:
    can = spec.capabilities
    for most in {limit, can.max_chars or limit}:
        for markup in [m for m in shown(can) if m != "html"]:
            parts = render(text, replace(can, markup=markup, max_chars=most))
            assert all(0 < units(part) <= most for part in parts)
            joined = "".join(parts)
            escaped = LINK.replace("&", "&amp;") if markup == "mrkdwn" else LINK
            assert sum(part.count(escaped) for part in parts) == text.count(LINK)
            whole = regex.findall(
                r"\X", "".join(render(text, replace(can, markup=markup, max_chars=0)))
            )
            torn = [g for g in regex.findall(r"\X", joined) if g.strip()]
            assert [g for part in parts for g in regex.findall(r"\X", part) if g.strip()] == torn
            assert torn == [g for g in whole if g.strip()]


@every_channel
def test_long_text_is_cut_on_sentence_ends(spec: ChannelSpec) -> None:
    sentence = "This is one whole sentence of the answer."
    for markup in [m for m in shown(spec.capabilities) if m != "html"]:
        can = replace(spec.capabilities, markup=markup, max_chars=150)
        parts = render(" ".join([sentence] * 20), can)
        assert len(parts) > 1
        assert all(part.endswith("answer.") for part in parts)


MARKED = "# Title\n\n**bold** and *slanted* `code` [guide](https://docs.example.com/)\n\n- one"
RAW = {
    "plain": ("**", "](", "`", "# "),
    "mrkdwn": ("**", "](", "# "),
    "whatsapp": ("**", "](", "# "),
    "html": ("**", "](", "`", "# "),
    "markdown": (),
}
OWN = {
    "plain": ("Title", "bold and slanted code guide (https://docs.example.com/)", "- one"),
    "mrkdwn": ("*Title*", "*bold* and _slanted_ `code` <https://docs.example.com/|guide>", "• one"),
    "whatsapp": (
        "*Title*",
        "*bold* and _slanted_ `code` guide (https://docs.example.com/)",
        "- one",
    ),
    "html": (
        "<strong>Title</strong>",
        "<strong>bold</strong> and <em>slanted</em> <code>code</code>",
    ),
    "markdown": (MARKED,),
}


@every_channel
def test_markdown_becomes_its_own_markup(spec: ChannelSpec) -> None:
    for markup in shown(spec.capabilities):
        (whole,) = render(MARKED, replace(spec.capabilities, markup=markup, max_chars=0))
        assert [raw for raw in RAW[markup] if raw in whole] == []
        assert [own for own in OWN[markup] if own not in whole] == []


@pytest.mark.parametrize(
    ("kind", "size", "media", "most", "carried"),
    [
        ("image/png", 10, ("image/*",), 0, True),
        ("image/png", 10, ("image/png",), 10, True),
        ("image/png", 11, ("image/png",), 10, False),
        ("application/pdf", 1, ("image/*", "audio/*"), 0, False),
        ("application/pdf", 1, ("*/*",), 0, True),
        ("application/pdf", 1, (), 0, False),
        ("imagex/png", 1, ("image/*",), 0, False),
    ],
)
def test_which_files_it_carries(
    kind: str, size: int, media: tuple[str, ...], most: int, carried: bool
) -> None:
    assert fits(kind, size, media, most) == carried
