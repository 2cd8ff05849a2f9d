"""Zendesk help-centre export: the JSON of its API's articles, sections and categories.

Owns which articles are public: drafts are skipped, and what is for a user segment is internal, since
the export does not say who is in it.
"""

from collections.abc import Iterator, Mapping, Sequence

from ingest.blocks import Page
from ingest.formats._json import Row, parsed, rows, text
from ingest.formats.html import parse_fragment
from ingest.pages import demoted, make_page
from ingest.spec import FormatSpec, Raw


def matches(raw: Raw) -> bool:
    """Tell whether the keys of its articles occur."""
    return all(key in raw.data for key in (b'"section_id"', b'"body"', b'"title"'))


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    data = parsed(raw)
    sections = _names(rows(data, "sections"))
    categories = _names(rows(data, "categories"))
    above = {text(s, "id"): text(s, "category_id") for s in rows(data, "sections")}
    found = []
    for article in rows(data, "articles"):
        if article.get("draft") is True or not isinstance(article.get("body"), str):
            continue
        section = text(article, "section_id")
        place = (categories.get(above.get(section, ""), ""), sections.get(section, ""))
        if page := _page(raw.path, article, " › ".join(name for name in place if name)):
            found.append(page)
    return found


def _names(each: Iterator[Row]) -> Mapping[str, str]:
    return {text(row, "id"): text(row, "name") for row in each}


def _page(path: str, article: Row, place: str) -> Page | None:
    html = parse_fragment(str(article["body"]))
    labels = article.get("label_names")
    front: dict[str, object] = {
        "title": text(article, "title", "name"),
        "locale": text(article, "locale", "source_locale"),
        "url": text(article, "html_url"),
        "audience": "internal" if article.get("user_segment_id") else "public",
        "section": place,
        "labels": ", ".join(map(str, labels)) if isinstance(labels, list) else "",
        "updated_at": text(article, "edited_at", "updated_at"),
    }
    front = {key: value for key, value in front.items() if value}
    part = text(article, "id") or text(article, "html_url") or text(article, "title")
    if text(article, "locale"):
        part = f"{part}-{text(article, 'locale')}"  # translations share an id
    return make_page(path, demoted(html.blocks), front, part=part, hidden=html.hidden)


FORMAT = FormatSpec(
    "zendesk",
    (".json", ".jsonl", ".ndjson"),
    read,
    media_types=("application/json",),
    matches=matches,
    max_bytes=100_000_000,
)
