"""What a reply looks like in each markup, and where long text is cut."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from channels._shared.render import Words, escape_mrkdwn, render, to_html, to_mrkdwn, to_plain
from channels._shared.slack_text import decode_text
from channels._shared.split import is_boundary, split, units
from core.contracts import Capabilities
from core.ids import PassageId
from core.messages import QuickReply
from core.turns import Citation

REPLY = """# Invite people

Open **Settings › *Team***, then `Invite`. See [the guide](https://docs.example.com/a_(b)?x=1&y=2).

- first <b>
- second & last

1. one
2. two

> quoted

```
curl -X POST "https://api.example.com" **raw**
```"""

CITATIONS = (
    Citation(1, PassageId("p1"), "a.md", "Invite <us>", "By mail", "q", "https://docs.example.com"),
    Citation(2, PassageId("p2"), "b.md", "Roles", "Roles", "q"),
)
CHOICES = (QuickReply("Yes & go", "yes"), QuickReply("No", "no"))
WORDS = Words(sources="Sources", choose="Reply with a number.", speaker="Dana (team)")


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (
            to_plain,
            """Invite people

Open Settings › Team, then Invite. See the guide (https://docs.example.com/a_(b)?x=1&y=2).

- first <b>
- second & last

1. one
2. two

quoted

curl -X POST "https://api.example.com" **raw**""",
        ),
        (
            to_mrkdwn,
            """*Invite people*

Open *Settings › _Team_*, then `Invite`. See <https://docs.example.com/a_(b)?x=1&amp;y=2|the guide>.

• first &lt;b&gt;
• second &amp; last

1. one
2. two

> quoted

```
curl -X POST "https://api.example.com" **raw**
```""",
        ),
        (
            to_html,
            """<p><strong>Invite people</strong></p>
<p>Open <strong>Settings › <em>Team</em></strong>, then <code>Invite</code>. See """
            """<a href="https://docs.example.com/a_(b)?x=1&amp;y=2">the guide</a>.</p>
<ul><li>first &lt;b&gt;</li><li>second &amp; last</li></ul>
<ol><li>one</li><li>two</li></ol>
<blockquote>quoted</blockquote>
<pre>curl -X POST &quot;https://api.example.com&quot; **raw**</pre>""",
        ),
    ],
)
def test_one_reply_in_each_markup(to: object, expected: str) -> None:
    assert callable(to)
    assert to(REPLY) == expected


@pytest.mark.parametrize(
    ("text", "plain", "mrkdwn"),
    [
        ("2 * 3 * 4", "2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name", "snake_case_name"),
        ("**open", "**open", "**open"),
        ("see https://a.example/x_y_z.", "see https://a.example/x_y_z.", "see <https://a.example/x_y_z>."),
        ("[x](javascript:alert(1))", "x", "x"),
        ("[a@b.example](mailto:a@b.example)", "a@b.example", "<mailto:a@b.example|a@b.example>"),
        ("<!channel> <@U1> &lt;", "<!channel> <@U1> &lt;", "&lt;!channel&gt; &lt;@U1&gt; &amp;lt;"),
        ("`<!here>`", "<!here>", "`&lt;!here&gt;`"),
        ("[<!here>|x](https://a.example/>|y)", "<!here>|x (https://a.example/>|y)",
         "<https://a.example/&gt;%7Cy|&lt;!here&gt;¦x>"),
        ("[1] and [2]", "[1] and [2]", "[1] and [2]"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_what_is_not_markup_stays_text(text: str, plain: str, mrkdwn: str) -> None:
    assert to_plain(text) == plain
    assert to_mrkdwn(text) == mrkdwn


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><img src=x onerror=1>', "'&quot;<"])
def test_html_is_escaped_everywhere(evil: str) -> None:
    text = f"{evil} **{evil}** `{evil}` [{evil}](https://a.example/?{evil.replace(' ', '')})"
    words = Words(evil, evil, evil)
    cited = Citation(1, PassageId("p"), evil, evil, evil, evil, f"https://a.example/{evil}")
    (page,) = render(
        text,
        Capabilities(markup="html"),
        quick_replies=(QuickReply(evil, "x"),),
        citations=(cited,),
        words=words,
    )
    tags = set(re.findall(r"</?\w+", page))
    kinds = {"p", "strong", "code", "a", "ol", "li"}
    assert tags == {mark + kind for kind in kinds for mark in ("<", "</")}


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (
            Capabilities(),
            "Dana (team): Hi [1].\n\n1. Yes & go\n2. No\nReply with a number.\n\n"
            "Sources: 1 Invite <us>, By mail; 2 Roles",
        ),
        (
            Capabilities(markup="mrkdwn", buttons=True),
            "*Dana (team)*\nHi [1].\n\n"
            "Sources: [1] <https://docs.example.com|Invite &lt;us&gt;, By mail>; [2] Roles",
        ),
        (
            Capabilities(markup="markdown", buttons=True),
            "**Dana (team)**\nHi [1].\n\n"
            "Sources: [1] [Invite <us>, By mail](https://docs.example.com); [2] Roles",
        ),
        (
            Capabilities(markup="html"),
            "<p><strong>Dana (team)</strong></p>\n<p>Hi [1].</p>\n"
            "<ol><li>Yes &amp; go</li><li>No</li></ol>\n<p>Reply with a number.</p>\n"
            '<p>Sources: [1] <a href="https://docs.example.com">Invite &lt;us&gt;, By mail</a>; '
            "[2] Roles</p>",
        ),
    ],
)
def test_what_stands_around_a_reply(capabilities: Capabilities, expected: str) -> None:
    parts = render("Hi [1].", capabilities, quick_replies=CHOICES, citations=CITATIONS, words=WORDS)
    assert parts == [expected]


def test_nothing_is_no_part() -> None:
    assert render(" \n", Capabilities(), words=Words()) == []


# ---------------------------------------------------------------- splitting


def test_it_is_cut_on_sentence_ends() -> None:
    text = "First one is here. Second one is here! Third one is here? Done."
    assert split(text, 40) == ["First one is here. Second one is here!", "Third one is here? Done."]


@pytest.mark.parametrize(
    ("text", "markup", "atom"),
    [
        ("word " * 5 + "https://example.com/a.b?c=d! e", "plain", "https://example.com/a.b?c=d!"),
        ("word " * 5 + "guide (https://example.com/a) e", "plain", "guide (https://example.com/a)"),
        ("word " * 5 + "<https://example.com/a|the long guide> e", "mrkdwn",
         "<https://example.com/a|the long guide>"),
        ("word " * 5 + "[the long. guide](https://example.com/) e", "markdown",
         "[the long. guide](https://example.com/)"),
        ("a" * 37 + "&amp; e", "mrkdwn", "&amp;"),
    ],
)  # fmt: skip
def test_a_link_is_never_cut(text: str, markup: str, atom: str) -> None:
    parts = split(text, 44, markup)
    assert sum(atom in part for part in parts) == 1


def test_only_a_link_longer_than_a_part_is() -> None:
    parts = split("see https://example.com/" + "a" * 50, 40)
    assert parts[0] == "see"
    assert "".join(parts[1:]) == "https://example.com/" + "a" * 50


def test_code_fences_are_closed_and_opened_again() -> None:
    text = "Run this.\n```\n" + "step one of it\n" * 20 + "```\nDone."
    parts = split(text, 100, "mrkdwn")
    assert len(parts) > 3
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert max(map(len, parts)) <= 100


PIECES = st.sampled_from(
    ["Hello", "world.", " ", " ", " ", "\n", "é", "e\u0301", "👍🏽", "👩‍👩‍👧‍👦", "🇪🇸", "🇺🇸", "각", "각", "नमस्ते",
     "ก็", "กำ", "क्षि", "ഷ്ട്ര", "https://example.com/a?b=c", "(x)", "…", "。", "日本語", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=80).map("".join), st.integers(40, 90))
def test_parts_fit_lose_nothing_and_tear_nothing(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < units(part) <= limit for part in parts)
    kept = "".join("".join(parts).split())
    assert kept == "".join(text.split())
    # Every grapheme of ours is one of the whole text's: none was torn.
    whole = regex.findall(r"\X", "".join(text.split()))
    torn = [g for part in parts for g in regex.findall(r"\X", "".join(part.split()))]
    assert torn == whole


@given(st.lists(PIECES, max_size=30).map("".join))
def test_boundaries_are_graphemes(text: str) -> None:
    ends = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    ours = {i for i in range(len(text) + 1) if is_boundary(text, i)}
    assert ours <= ends


# Lines of Unicode's GraphemeBreakTest.txt: ÷ is a boundary, × is none.
OFFICIAL = (
    "÷ 0020 ÷ 0020 ÷",
    "÷ 0020 × 0308 ÷ 0020 ÷",
    "÷ 000D × 000A ÷ 0061 ÷ 000A ÷ 0308 ÷",
    "÷ 0061 × 0308 ÷",
    "÷ 0020 × 200D ÷ 0646 ÷",
    "÷ 0646 × 200D ÷ 0020 ÷",
    "÷ 1100 × 1100 ÷",
    "÷ AC00 × 11A8 ÷ 1100 ÷",
    "÷ AC01 × 11A8 ÷ 1100 ÷",
    "÷ 1F1E6 × 1F1E7 ÷ 1F1E8 ÷ 0062 ÷",
    "÷ 0061 ÷ 1F1E6 × 1F1E7 ÷ 1F1E8 ÷ 0062 ÷",
    "÷ 0061 ÷ 1F1E6 × 1F1E7 × 200D ÷ 1F1E8 ÷ 0062 ÷",
    "÷ 0061 ÷ 1F1E6 × 1F1E7 ÷ 1F1E8 × 1F1E9 ÷ 0062 ÷",
    "÷ 0061 × 200D ÷",
    "÷ 0061 × 0308 ÷ 0062 ÷",
    "÷ 0061 × 0903 ÷ 0062 ÷",
    "÷ 0061 ÷ 0600 × 0062 ÷",
    "÷ 1F476 × 1F3FF ÷ 1F476 ÷",
    "÷ 0061 × 1F3FF ÷ 1F476 ÷",
    "÷ 0061 × 1F3FF ÷ 1F476 × 200D × 1F6D1 ÷",
    "÷ 1F476 × 1F3FF × 0308 × 200D × 1F476 × 1F3FF ÷",
    "÷ 1F6D1 × 200D × 1F6D1 ÷",
    "÷ 0061 × 200D ÷ 1F6D1 ÷",
    "÷ 0915 ÷ 0924 ÷",
    "÷ 0915 × 094D × 0924 ÷",
    "÷ 0915 × 094D × 094D × 0924 ÷",
    "÷ 0915 × 094D × 200D × 0924 ÷",
    "÷ 0915 × 093C × 094D × 0924 ÷",
    "÷ 0915 × 094D ÷ 0061 ÷",
)


@pytest.mark.parametrize("line", OFFICIAL)
def test_boundaries_are_unicodes(line: str) -> None:
    marks = line.split()
    text = "".join(chr(int(code, 16)) for code in marks[1::2])
    assert "".join("÷×"[not is_boundary(text, i)] for i in range(len(text) + 1)) == "".join(
        marks[0::2]
    )


@pytest.mark.parametrize(
    "text",
    ["word \u0301" * 30, "。\u0301" * 40, "a.\u200d\n" * 30, "क्षि " * 20, "👩‍👩‍👧‍👦" * 12],
    ids=[
        "accent on a space",
        "accent on a stop",
        "joiner at a line's end",
        "syllables",
        "families",
    ],
)
def test_no_cut_tears_a_grapheme_wherever_a_sentence_ends(text: str) -> None:
    for limit in (40, 41, 47):
        parts = split(text, limit)
        torn = [g for part in parts for g in regex.findall(r"\X", part)]
        whole = [g for g in regex.findall(r"\X", text) if g.strip()]
        assert [g for g in torn if g.strip()] == whole


@given(st.text(max_size=400), st.sampled_from(["plain", "markdown", "mrkdwn", "html"]))
def test_any_text_renders_within_the_limit(text: str, markup: str) -> None:
    for limit in (160, 1600):
        parts = render(text, Capabilities(markup=markup, max_chars=limit))
        assert all(part.strip() for part in parts)
        assert markup == "html" or all(units(part) <= limit for part in parts)


@pytest.mark.parametrize(
    "evil",
    [
        "**a " * 8000,
        "[" * 30_000,
        "*a" * 16_000,
        "`a" * 16_001,
        "[a](" * 8000,
        "<&" * 16_000,
        "_ _" * 10_000,
    ],
)
@pytest.mark.timeout(20)
def test_hostile_text_is_rendered_in_reasonable_time(evil: str) -> None:
    for markup in ("plain", "mrkdwn", "html"):
        assert render(evil, Capabilities(markup=markup, max_chars=1600))


@given(st.text(alphabet="ab&;lt<>@!U1|#\n", max_size=80))
def test_what_is_escaped_for_slack_reads_as_it_was_written(text: str) -> None:
    assert decode_text(escape_mrkdwn(text)) == text.strip()
    assert "<" not in escape_mrkdwn(text)
