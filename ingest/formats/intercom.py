"""Intercom help-centre export: the JSON of its API's articles.

Owns which articles are public: only published ones are read.
"""

from collections.abc import Iterator, Mapping, Sequence

from ingest.blocks import Page
from ingest.formats._json import Row, parsed, rows, text
from ingest.formats.html import parse_fragment
from ingest.pages import demoted, make_page
from ingest.spec import FormatSpec, Raw


def matches(raw: Raw) -> bool:
    """Tell whether the keys of its articles occur."""
    keys = b'"state"' in raw.data and b'"body"' in raw.data and b'"title"' in raw.data
    return keys and b'"section_id"' not in raw.data


def read(raw: Raw) -> Sequence[Page]:
    """See the contract."""
    found = []
    for article in rows(parsed(raw), "data", "articles"):
        for locale, content in _translations(article):
            if content.get("state", article.get("state")) != "published":
                continue
            if page := _page(raw.path, article, locale, content):
                found.append(page)
    return found


def _translations(article: Row) -> Iterator[tuple[str, Row]]:
    """Yield (locale, content) of an article, its own first."""
    own = text(article, "default_locale", "locale")
    yield own, article
    translated = article.get("translated_content")
    if isinstance(translated, Mapping):
        for locale, content in translated.items():
            if isinstance(content, Mapping) and locale != own and content.get("body"):
                yield str(locale), content


def _page(path: str, article: Row, locale: str, content: Row) -> Page | None:
    html = parse_fragment(text(content, "body"))
    front = {
        "title": text(content, "title"),
        "locale": locale,
        "url": text(content, "url"),
        "summary": text(content, "description"),
        "updated_at": text(content, "updated_at"),
    }
    front = {key: value for key, value in front.items() if value}
    part = text(article, "id") or text(content, "url") or text(content, "title")
    part = f"{part}-{locale}" if content is not article else part
    return make_page(path, demoted(html.blocks), front, part=part, hidden=html.hidden)


FORMAT = FormatSpec(
    "intercom",
    (".json", ".jsonl", ".ndjson"),
    read,
    media_types=("application/json",),
    matches=matches,
    max_bytes=100_000_000,
)
