"""Segments counted as by the standard's own arithmetic, and what a text may be spelled as to cost fewer."""

import random

import pytest

from channels._shared.render import Words, render
from channels._shared.segments import Segments, cheaper, is_gsm, segments
from channels._shared.split import units
from channels.sms import CAPABILITIES, SmsSettings, _spelled
from core.messages import QuickReply

# 3GPP TS 23.038, §6.2.1: the default alphabet by code, and §6.2.1.1: what stands behind ESC.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
BEHIND_ESC = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
}
BEHIND_ESC |= {"|": 0x40, "€": 0x65}
ESC = 0x1B


def reference(text: str) -> tuple[str, int, int]:
    """Encode the text for real and cut the octets, as a message centre does."""
    try:
        septets = bytes(code for c in text for code in code_of(c))
    except ValueError:
        wide = text.encode("utf-16-be", "surrogatepass")
        return "UCS-2", len(wide) // 2, count(wide, 140, 134, torn_pair)
    return "GSM-7", len(septets), count(septets, 160, 153, torn_escape)


def code_of(character: str) -> tuple[int, ...]:
    code = BEHIND_ESC.get(character)
    return (TABLE.index(character),) if code is None else (ESC, code)


def torn_escape(piece: bytes) -> int:
    return int(piece[-1] == ESC)


def torn_pair(piece: bytes) -> int:
    return 2 * (0xD8 <= piece[-2] <= 0xDB)


def count(octets: bytes, single: int, joined: int, torn: object) -> int:
    assert callable(torn)
    pieces, at = 1, 0
    while len(octets) > single and len(octets) - at > joined:
        at += joined - torn(octets[at : at + joined])
        pieces += 1
    return pieces


def test_the_reference_table_is_the_standards() -> None:
    assert len(TABLE) == 128
    assert [TABLE[code] for code in (0x00, 0x09, 0x24, 0x40, 0x5E, 0x60, 0x7F)] == list("@Ç¤¡Ü¿à")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 1)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        # 152 and a pair: the pair moves on, and the third segment is needed
        ("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 306, 3)),
        ("á" * 70, Segments("UCS-2", 70, 1)),
        ("á" * 71, Segments("UCS-2", 71, 2)),
        ("á" * 134, Segments("UCS-2", 134, 2)),
        ("á" * 135, Segments("UCS-2", 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        # 67 is odd: the pair at its end moves on
        ("á" * 66 + "😀" + "á" * 66, Segments("UCS-2", 134, 3)),
        ("¿Qué año? ñ é ü", Segments("GSM-7", 15, 1)),
    ],
)
def test_segments_are_those_of_the_standard(text: str, expected: Segments) -> None:
    assert segments(text) == expected
    assert reference(text) == (expected.encoding, expected.units, expected.count)


# ---------------------------------------------------------------- what may be spelled plainer


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Open “Settings” – it’s there… " * 6, 'Open "Settings" - it\'s there... ' * 6),
        ("Settings › Team\u00a0→ Invite • now " * 5, "Settings > Team -> Invite - now " * 5),
        ("cafe\u0301 " * 30, "café " * 30),
    ],
)
def test_marks_have_plain_twins(text: str, plain: str) -> None:
    assert cheaper(text) == plain
    assert segments(plain).count < segments(text).count


@pytest.mark.parametrize(
    "text",
    [
        "It’s “fine”.",  # one segment either way
        "¿Cómo está? Envié el código a tu teléfono y lo publicó Ana. " * 3,  # Spanish stays Spanish
        "“Ready” 😀 " * 20,  # still UCS-2 after: then it may as well keep its quotes
        "Привет, “мир”. " * 10,
        "plain ascii " * 30,
    ],
)
def test_nothing_is_changed_that_saves_nothing_or_says_something_else(text: str) -> None:
    assert cheaper(text) == text


def test_letters_lose_their_accents_only_when_asked() -> None:
    text = "¿Cómo está? Envié el código a tu teléfono y mañana lo publicará Ana. " * 2
    assert cheaper(text, "letters") == (
        "¿Como esta? Envié el codigo a tu teléfono y mañana lo publicara Ana. " * 2
    )
    assert cheaper(text, "off") == text


def test_a_plainer_spelling_never_breaks_the_limit() -> None:
    own = SmsSettings(transliterate="marks", _env_file=None)
    text = "…" * 1600
    assert _spelled(text, own) == text


# ---------------------------------------------------------------- two thousand replies

WORDS = (
    "open", "Settings", "›", "People", "invite", "¿Cómo", "mañana", "€20", "{plan}", "[1]", "~2h", "“quoted”", "it’s",
    "—", "…", "😀", "👨‍👩‍👧‍👦", "🇪🇸", "naïve", "https://docs.example.com/a?b=1&c=%C3%A9", "**bold**", "`code`", "\n\n",
    "- item", "Привет", "日本語", "a\u0301", "1.º", "\u00a0", "\t", "^", "|", "\\", "x" * 90, "[guide](https://d.example/t)",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_replies_fit_and_cost_what_the_reference_says(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(500):
        text = " ".join(dice.choices(WORDS, k=dice.randrange(1, 700)))
        choices = [QuickReply(w, w) for w in dice.sample(WORDS, k=dice.randrange(4))]
        words = Words(choose="Reply with a number.", speaker="Dana (team)")
        how = dice.choice(("marks", "letters", "off"))
        own = SmsSettings(transliterate=how, _env_file=None)
        for body in render(text, CAPABILITIES, quick_replies=choices, words=words):
            sent = _spelled(body, own)
            counted = segments(sent)
            assert units(sent) <= 1600
            assert (counted.encoding, counted.units, counted.count) == reference(sent)
            assert counted.count <= segments(body).count
            assert is_gsm(sent) == (counted.encoding == "GSM-7")
