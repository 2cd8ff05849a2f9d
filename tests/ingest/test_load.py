import pytest

from ingest.blocks import Block, BlockKind
from ingest.load import load

HEADING, PARAGRAPH = BlockKind.HEADING, BlockKind.PARAGRAPH


def kinds(path: str, text: str) -> list[tuple[BlockKind, str, tuple[str, ...]]]:
    page = load(path, text.encode())
    assert page is not None
    return [(block.kind, block.text, block.parts) for block in page.blocks]


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        ("a.md", "---\ntitle: Front\n---\n# Seen\n\nText.", "Seen"),
        ("a.md", "---\ntitle: Front\n---\nText.", "Front"),
        ("team/invite-people.md", "Only text.", "Invite people"),
        ("team/index.md", "Only text.", "Team"),
        ("a.md", "Seen\n====\n\nText.", "Seen"),
        ("a.html", "<title>Tab | Lumen</title><body><h1>Seen</h1><p>x</p>", "Seen"),
        ("a.html", "<title>Tab | Lumen</title><p>x</p>", "Tab"),
        ("a.htm", "<p>x</p>", "A"),
        ("a.txt", "Opening hours\n\nWe open at nine.", "Opening hours"),
        ("opening.txt", "We open at nine. Then we close.", "Opening"),
    ],
)
def test_title(path: str, text: str, title: str) -> None:
    page = load(path, text.encode())
    assert page is not None
    assert page.title == title


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", ""),
        ("a.md", "  \n\n"),
        ("a.md", "---\ntitle: Only front matter\n---\n"),
        ("a.md", "# Only a title"),
        ("a.md", "# T\n\n<script>let a = 1</script>\n\n<!-- nothing -->"),
        ("a.html", "<html><head><title>App</title></head><body><div id=root></div>"
                   "<script>render('words words')</script><noscript>Enable it</noscript></body>"),
        ("a.html", "<!doctype html><body><nav><a>Home</a></nav><p hidden>secret</p></body>"),
        ("a.txt", "\ufeff"),
    ],
)  # fmt: skip
def test_nothing_to_read_makes_no_page(path: str, text: str) -> None:
    assert load(path, text.encode()) is None


def test_markdown_blocks() -> None:
    text = """# Title

Read **this** and [that](x.md) with `code <b>`.
Same line.

## Steps

1. First
   - inner
2. Second

```sh
run --now
```

| Plan | Seats |
| --- | ---: |
| Pro | **5** |
| Free | 1 |
"""
    assert kinds("a.md", text) == [
        (PARAGRAPH, "Read this and that with code <b>. Same line.", ()),
        (HEADING, "Steps", ()),
        (BlockKind.LIST, "", ("1. First\n  - inner", "2. Second")),
        (BlockKind.CODE, "run --now", ()),
        (BlockKind.TABLE, "", ("| Plan | Seats |", "| Pro | 5 |", "| Free | 1 |")),
    ]


def test_mdx_keeps_the_words_only() -> None:
    text = """import Tabs from '@theme/Tabs'
export const x = 1

# Title

{/* a comment */}
<Tabs>
<p>Inside a tab.</p>
</Tabs>

:::note Mind this
Body.
:::

```js
import kept from 'code'
```
"""
    assert kinds("a.mdx", text) == [
        (PARAGRAPH, "Inside a tab.", ()),
        (PARAGRAPH, "Mind this", ()),
        (PARAGRAPH, "Body.", ()),
        (BlockKind.CODE, "import kept from 'code'", ()),
    ]


def test_html_blocks() -> None:
    text = """<html lang="es-MX"><body><nav>Menu</nav><main><h1>T</h1>
<div>Loose <b>words</b><br>next line<p>Para</p></div>
<ul><li>One <a href=x>link</a><ol><li>deep</li></ol></li><li>Two</li></ul>
<pre>a
  b</pre><table><thead><tr><th>K</th><th>V</th></tr></thead>
<tr><td colspan=2>both</td></tr><tr><td>a|b</td><td><p>1</p></td></tr></table>
<dl><dt>Term</dt><dd>Meaning</dd></dl><p style="display: none">hidden</p>
</main><footer>Foot</footer></body></html>"""
    assert kinds("a.html", text) == [
        (PARAGRAPH, "Loose words\nnext line", ()),
        (PARAGRAPH, "Para", ()),
        (BlockKind.LIST, "", ("- One link\n  1. deep", "- Two")),
        (BlockKind.CODE, "a\n  b", ()),
        (BlockKind.TABLE, "", ("| K | V |", "| both | both |", "| a/b | 1 |")),
        (PARAGRAPH, "Term: Meaning", ()),
    ]
    page = load("a.html", text.encode())
    assert page is not None
    assert page.locale == "es"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "# T\n\nSee ![a dialog with two buttons](x.png) here.\n\n![](dots.png)\n"),
        ("a.mdx", "# T\n\nSee ![a dialog with two buttons](x.png) here.\n"),
        ("a.html", "<h1>T</h1><p>See <img alt='a dialog with two buttons' src=x> here.<img alt='' src=y></p>"),
    ],
)  # fmt: skip
def test_a_picture_is_read_by_its_alt_text(path: str, text: str) -> None:
    document = load(path, text.encode())
    assert document is not None
    assert [block.text for block in document.blocks] == ["See a dialog with two buttons here."]


def test_plain_text_blocks() -> None:
    text = "Guide\n=====\n\nIntro line\ngoes on.\n\nNEXT PART\n\nDo:\n- one\n  more\n- two\nAfter."
    assert kinds("a.txt", text) == [
        (PARAGRAPH, "Intro line goes on.", ()),
        (HEADING, "NEXT PART", ()),
        (PARAGRAPH, "Do:", ()),
        (BlockKind.LIST, "", ("- one more", "- two")),
        (PARAGRAPH, "After.", ()),
    ]


@pytest.mark.parametrize(
    ("front", "editions", "internal", "locale", "url"),
    [
        ("edition: Pro", ("pro",), False, None, None),
        ("editions: [pro, Enterprise]", ("pro", "enterprise"), False, None, None),
        ("edition: starter, pro", ("starter", "pro"), False, None, None),
        ("edition: all\naudience: internal", (), True, None, None),
        ("audience: customers\nlocale: es-MX", (), False, "es", None),
        ("lang: klingon\nurl: https://x.test/a", (), False, None, "https://x.test/a"),
    ],
)
def test_front_matter(
    front: str, editions: tuple[str, ...], internal: bool, locale: str | None, url: str | None
) -> None:
    page = load("a.md", f"---\n{front}\n---\nText.".encode())
    assert page is not None
    assert (page.editions, page.internal, page.locale, page.url) == (
        editions, internal, locale, url,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "locale"),
    [("es/a.md", "es"), ("pt-BR/a.md", "pt"), ("docs/es/a.md", None), ("ab/a.md", None),
     ("es.md", None)],
)  # fmt: skip
def test_locale_of_a_leading_folder(path: str, locale: str | None) -> None:
    page = load(path, b"Text.")
    assert page is not None
    assert page.locale == locale


@pytest.mark.parametrize(
    "text",
    ["---\n: : : [\n---\nText.", "---\nText.\n---\nMore.", "---\nnever closed\n\nText."],
)
def test_broken_front_matter_loses_no_page(text: str) -> None:
    page = load("a.md", text.encode())
    assert page is not None
    assert any(block.text.startswith("Text.") or "Text." in block.text for block in page.blocks)


@pytest.mark.parametrize(
    ("path", "data", "text"),
    [
        ("a.md", "café".encode("cp1252"), "café"),
        ("a.md", "one é\n\n".encode() + "two ñ".encode("cp1252"), "two ñ"),
        ("a.md", "\ufeffcafé".encode(), "café"),
        ("a.md", "café".encode("utf-16"), "café"),
        ("a.txt", "plain text".encode("utf-16-le"), "plain text"),
        ("a.html", '<meta charset="iso-8859-2"><p>ł</p>'.encode("iso-8859-2"), "ł"),
        ("a.html", '<meta charset="no-such"><p>é</p>'.encode("cp1252"), "é"),
        ("a.md", b"a nul that is\x00 gone, the rest stays", "a nul that is gone, the rest stays"),
        ("a.md", "cafe\u0301 s\u00ado\u200bft".encode(), "café soft"),
    ],
)
def test_encodings(path: str, data: bytes, text: str) -> None:
    page = load(path, data)
    assert page is not None
    assert page.blocks[-1] == Block(PARAGRAPH, text)


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x00" * 300, bytes(range(32)) * 20])
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a text file"):
        load("a.txt", data)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        load("a.exe", b"text")
