"""Out: links off the allow-list are removed.

Owns which links may be shown: addresses of the documents leaned on, links those documents contain, and the
tenant's own domains (plug-in state `links`, key `domains`). Sentences from lines files are not touched.
"""

import re
from urllib.parse import urlsplit

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import passages, source_texts

_MARKDOWN = re.compile(
    r"!?\[(?P<label>[^\]\n]{0,200})\]\(\s*(?P<url>[^)\s]{1,2000})[^)\n]{0,200}\)"
)
_BARE = re.compile(
    r"(?:(?:https?|ftp|data|javascript):(?://)?|www\.)[^\s<>()\[\]\"'`]+", re.IGNORECASE
)


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text without foreign links (a Markdown link keeps its label)."""
    outcome = context.outcome
    if outcome is not None and not (outcome.generated or outcome.citations or outcome.sources):
        return Verdict("links", "pass")
    if not (_MARKDOWN.search(text) or _BARE.search(text)):
        return Verdict("links", "pass")
    hosts = await _hosts(context, ports)
    said = "\n".join(source_texts(context))

    def allowed(url: str) -> bool:
        url = url.rstrip(".,;:!?")
        return (_host(url) in hosts and not url.lower().startswith(("data:", "javascript:"))) or (
            bool(_host(url)) and url in said
        )

    cleaned = _MARKDOWN.sub(lambda m: m[0] if allowed(m["url"]) else m["label"], text)
    cleaned = _BARE.sub(lambda m: m[0] if allowed(m[0]) else "", cleaned)
    if cleaned == text:
        return Verdict("links", "pass")
    cleaned = re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", cleaned)).strip()
    if not any(char.isalnum() for char in cleaned):
        return Verdict("links", "block", 1.0, "foreign_link")
    return Verdict("links", "rewrite", 1.0, "foreign_link", cleaned)


async def _hosts(context: CheckContext, ports: CheckPorts) -> frozenset[str]:
    urls = [passage.url for passage in passages(context)]
    if context.outcome is not None:
        urls += [citation.url for citation in context.outcome.citations]
    stored = await ports.state.get("links", context.tenant, "domains") or {}
    domains = stored.get("domains", ())
    own = [str(domain) for domain in domains] if isinstance(domains, list | tuple) else []
    return frozenset(filter(None, (*map(_host, filter(None, urls)), *own)))


def _host(url: str) -> str:
    """Return the host an address leads to, without www; empty when it has none."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
    except ValueError:
        return ""
    # user@host shows one name and leads to another.
    return "" if "@" in parts.netloc else (parts.hostname or "").removeprefix("www.")


CHECK = CheckSpec(
    name="links",
    direction="out",
    order=60,
    run=run,
    summary="Removes links that lead off the documents and the tenant's domains.",
)
