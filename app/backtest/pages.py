"""A report as one page to forward: HTML that needs nothing from outside, or Markdown.

Owns the wording and the look. Everything from questions and answers is escaped; no script, no asset.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]

SHOWN_GAPS = 20
SHOWN_APART = 8
WORDS = {
    "answer": "answered",
    "ask_back": "asked back",
    "decline": "declined",
    "handoff": "handed over",
    "other": "something else",
    "failed": "failed",
}
_STYLE = Path(__file__).with_name("page.css")


def as_html(name: str, made_at: datetime, report: Report) -> str:
    """Return the page. Blocking: reads its style from beside this file."""
    total = report["questions"]
    body = "\n".join(
        (
            f"<header><p class=kicker>usher · backtest</p><h1>{escape(name)}</h1>",
            f"<p class=lead>{escape(headline(report))}</p>",
            _bar(report["totals"], total, large=True),
            _legend(report["totals"], total),
            f"<p class=note>{made_at:%d %B %Y} · nothing was sent to anyone</p></header>",
            *_agreement_html(report["agreement"], report["definition"]),
            *_topics_html(report["topics"]),
            *_gaps_html(report["gaps"]),
            *_apart_html(report["rows"]),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Backtest: {escape(name)}</title><style>{_STYLE.read_text('utf-8')}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def as_markdown(name: str, made_at: datetime, report: Report) -> str:
    """Return the page as Markdown."""
    return "\n".join(_markdown(name, made_at, report)) + "\n"


def headline(report: Report) -> str:
    """Return what came out, in a sentence."""
    totals, total = report["totals"], report["questions"]
    rest = [f"{WORDS[key]} {totals[key]}" for key in WORDS if key != "answer" and totals[key]]
    return (
        f"Of {total} past questions the bot would have answered {totals['answer']}"
        f" ({_share(totals['answer'], total)})" + (f"; {', '.join(rest)}." if rest else ".")
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def agreement_sentence(agreement: Mapping[str, Any]) -> str:
    """Return how far the bot's answers agree with people's, in a sentence."""
    return (
        f"{agreement['compared']} of these could be compared with a person's answer:"
        f" {agreement['agree']} agree ({_share(agreement['agree'], agreement['compared'])});"
        f" mean agreement {agreement['agreement']:.2f}"
        f" (said {agreement['said']:.2f}, covered {agreement['covered']:.2f})."
    )


# ---------------------------------------------------------------- HTML


def _bar(totals: Mapping[str, int], total: int, *, large: bool = False) -> str:
    parts = "".join(
        f'<i class="{key}" style="width:{100 * totals[key] / max(total, 1):.2f}%"></i>'
        for key in WORDS
        if totals[key]
    )
    said = ", ".join(f"{WORDS[key]} {totals[key]}" for key in WORDS if totals[key])
    return (
        f'<div class="bar{" large" if large else ""}" role="img" aria-label="{said}">{parts}</div>'
    )


def _legend(totals: Mapping[str, int], total: int) -> str:
    items = "".join(
        f'<li><i class="{key}"></i>{WORDS[key]} <b>{totals[key]}</b> {_share(totals[key], total)}</li>'
        for key in WORDS
        if totals[key]
    )
    return f"<ul class=legend>{items}</ul>"


def _agreement_html(agreement: Mapping[str, Any] | None, definition: str) -> Iterator[str]:
    if agreement is not None:
        yield "<section><h2>Beside the people's answers</h2>"
        yield f"<p>{escape(agreement_sentence(agreement))}</p>"
        yield f"<details><summary>What agreement means</summary><p>{escape(definition)}</p></details>"
        yield "</section>"


def _topics_html(topics: Sequence[Report]) -> Iterator[str]:
    yield "<section><h2>By topic</h2><ul class=topics>"
    for topic in topics:
        totals, total = topic["totals"], topic["questions"]
        agrees = topic["agreement"]
        beside = f" · agreement {agrees['agreement']:.2f}" if agrees else ""
        counts = ", ".join(f"{WORDS[key]} {totals[key]}" for key in WORDS if totals[key])
        yield (
            f"<li><h3>{escape(topic['name'])} <span>{total}</span></h3>{_bar(totals, total)}"
            f"<p class=note>{counts}{beside}</p></li>"
        )
    yield "</ul></section>"


def _gaps_html(gaps: Sequence[Report]) -> Iterator[str]:
    yield "<section><h2>What the docs do not answer</h2>"
    if not gaps:
        yield "<p>Nothing: every question had an answer, or asked for a person.</p></section>"
        return
    yield "<p class=note>Ranked by how many people asked.</p><ol class=gaps>"
    for gap in gaps[:SHOWN_GAPS]:
        yield f"<li><h3>{escape(gap['question'])}</h3><p class=note>{escape(_asked(gap))}</p>"
        if gap["human_answer"]:
            yield f"<blockquote>{escape(_short(gap['human_answer'], 400))}</blockquote>"
        yield "</li>"
    yield "</ol></section>"


def _apart_html(rows: Sequence[Report]) -> Iterator[str]:
    apart = furthest_apart(rows)
    if not apart:
        return
    yield "<section><h2>Where bot and person differ most</h2>"
    for row in apart:
        yield (
            f"<article><h3>{escape(_short(row['question'], 240))}</h3><div class=pair>"
            f"<div><h4>Bot · {row['agreement']:.2f}</h4><p>{escape(_short(row['reply'], 500))}</p></div>"
            f"<div><h4>Person</h4><p>{escape(_short(row['human_answer'], 500))}</p></div></div></article>"
        )
    yield "</section>"


def furthest_apart(rows: Sequence[Report]) -> list[Report]:
    """Return the compared rows that agree least."""
    compared = [row for row in rows if "agreement" in row]
    return sorted(compared, key=lambda row: row["agreement"])[:SHOWN_APART]


def _asked(gap: Report) -> str:
    people = "person" if gap["askers"] == 1 else "people"
    times = "" if gap["questions"] == gap["askers"] else f", {gap['questions']} times"
    near = [f"{n['title']} › {n['section']}".removesuffix(" › ") for n in gap["nearest"][:2]]
    nearest = f" · nearest: {'; '.join(near)}" if near else ""
    return f"{gap['askers']} {people}{times}{nearest}"


def _short(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


# ---------------------------------------------------------------- Markdown


def _markdown(name: str, made_at: datetime, report: Report) -> Iterator[str]:
    yield f"# Backtest: {_plain(name)}"
    yield f"\n{headline(report)}\n\n{made_at:%d %B %Y}; nothing was sent to anyone."
    if report["agreement"]:
        yield f"\n{agreement_sentence(report['agreement'])}\n\n_{report['definition']}_"
    yield "\n## By topic\n"
    yield "| topic | questions | " + " | ".join(WORDS.values()) + " | agreement |"
    yield "| --- " * (len(WORDS) + 3) + "|"
    for topic in report["topics"]:
        counts = " | ".join(str(topic["totals"][key]) for key in WORDS)
        agrees = f"{topic['agreement']['agreement']:.2f}" if topic["agreement"] else "–"
        yield f"| {_plain(topic['name'])} | {topic['questions']} | {counts} | {agrees} |"
    yield "\n## What the docs do not answer\n"
    for place, gap in enumerate(report["gaps"][:SHOWN_GAPS], start=1):
        yield f"{place}. **{_plain(gap['question'])}** ({_plain(_asked(gap))})"
        if gap["human_answer"]:
            yield f"   > {_plain(_short(gap['human_answer'], 400))}"
    if not report["gaps"]:
        yield "Nothing."
    for row in furthest_apart(report["rows"]):
        if row is furthest_apart(report["rows"])[0]:
            yield "\n## Where bot and person differ most\n"
        yield f"- **{_plain(_short(row['question'], 240))}** ({row['agreement']:.2f})"
        yield f"  - bot: {_plain(_short(row['reply'], 500))}"
        yield f"  - person: {_plain(_short(row['human_answer'], 500))}"


def _plain(text: str) -> str:
    """Return text that is no Markdown and no HTML."""
    flat = " ".join(escape(text, quote=False).split())
    for mark in "\\`*_[]|#":
        flat = flat.replace(mark, f"\\{mark}")
    return flat
