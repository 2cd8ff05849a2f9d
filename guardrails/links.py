"""Out: links off the allow-list are removed, and so is all that loads or runs by itself.

Owns which addresses may be shown: the tenant's domains (`TenantPolicy.domains`, `*.name` for all below it) and the
hosts of the documents leaned on. What a document says links to nowhere else: whoever can write into a document must
not be able to send a customer anywhere. Text of fixed lines is not touched. Not here: finding addresses.
"""

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.addresses import address, hides_address, rewrite
from guardrails._shared.sentences import passages, source_texts

_SCHEMES = frozenset({"http", "https"})


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text without foreign links (a Markdown link keeps its words)."""
    outcome = context.outcome
    if outcome is not None and not (outcome.generated or outcome.citations or outcome.sources):
        return Verdict("links", "pass")
    if outcome is None and not context.sources:
        return Verdict("links", "pass")
    listed = (_hosts(context), _known(context), source_texts(context))
    cleaned = without_foreign(text, *listed)
    if cleaned == text:
        return Verdict("links", "pass")
    if not any(char.isalnum() for char in cleaned):
        return Verdict("links", "block", 1.0, "foreign_link")
    if outcome is not None and outcome.citations and not outcome.generated:
        # "Go to  and sign in" would be no instruction; the cited page has the address.
        there = ports.lines.say("guard.address", context.locale, context.channel)
        cleaned = without_foreign(text, *listed, gone=there)
    cleaned = re.sub(r"[ \t]+([.,;:!?](?:\s|$))", r"\1", re.sub(r"[ \t]{2,}", " ", cleaned)).strip()
    return Verdict("links", "rewrite", 1.0, "foreign_link", cleaned)


def without_foreign(
    text: str,
    hosts: frozenset[str],
    known: frozenset[str],
    said: tuple[str, ...] = (),
    gone: str = "",
) -> str:
    """Return the text with only the addresses on `hosts`; a query stays only on addresses `known` whole.

    `gone` is said in the place of a bare address that may not stay.
    """

    def allowed(url: str) -> str:
        found = address(url)
        if found.scheme not in _SCHEMES or not _is_listed(found.host, hosts):
            return ""
        if found.written in known:
            return found.written
        if hides_address(found.rest):
            return ""
        # A query is where data leaves by; a page of ours is found without one.
        return re.split(r"\?", found.written, maxsplit=1)[0]

    return rewrite(text, allowed, said, gone)


def _is_listed(host: str, hosts: frozenset[str]) -> bool:
    if not host:
        return False
    labels = host.split(".")
    above = (f"*.{'.'.join(labels[at:])}" for at in range(1, len(labels)))
    return host in hosts or any(name in hosts for name in above)


def _known(context: CheckContext) -> frozenset[str]:
    urls = [passage.url for passage in passages(context)]
    if context.outcome is not None:
        urls += [citation.url for citation in context.outcome.citations]
    return frozenset(url for url in urls if url)


def _hosts(context: CheckContext) -> frozenset[str]:
    own = (domain.strip().lower().removeprefix("www.") for domain in context.policy.domains)
    return frozenset(filter(None, (*(address(url).host for url in _known(context)), *own)))


CHECK = CheckSpec(
    name="links",
    direction="out",
    order=60,
    run=run,
    summary="Removes links that lead off the documents and the tenant's domains.",
)
