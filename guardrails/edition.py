"""Out: a feature that the customer's edition does not have is not offered as theirs: its editions are named.

Owns which sentences offer a feature. Which pages are kept for which editions comes from the documents. Not here:
hiding those pages from search (app/store/visibility.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from core.contracts import CheckPorts, CheckSpec
from core.outcomes import CheckContext
from core.turns import Verdict
from guardrails._shared.sentences import flat, is_bots, split

_OFFERS = re.compile(
    r"\b(?:you can|you could|you may|you'll be able|you're able|you are able|you have|lets you|allows you|just|simply|go to|open|use|using|try|turn on|switch on|enable|activate|set up|configure|click|yes"
    r"|puedes?|podras?|tienes?|activa|abre|usa|ve a|vaya a|configura|te permite|le permite|si)\b"
)
_FEWEST_LETTERS = 6  # a title of one short word ("API", "Boards") names too much


async def run(text: str, context: CheckContext, ports: CheckPorts) -> Verdict:
    """Return pass, or the text with the editions of the features it offers."""
    if not is_bots(context) or not _OFFERS.search(flat(text)):
        return Verdict("edition", "pass")
    account = context.contact.account if context.contact else None
    locked = await ports.features.above(context.tenant, account.edition if account else None)
    said = flat(text)
    offered = [
        (title, editions)
        for title, editions in locked.items()
        if _offers(text, title) and not any(flat(edition) in said.split() for edition in editions)
    ]
    if not offered:
        return Verdict("edition", "pass")
    notes = [
        ports.lines.say(
            "guard.edition",
            context.locale,
            context.channel,
            feature=title,
            editions=", ".join(editions),
        )
        for title, editions in offered
    ]
    return Verdict("edition", "rewrite", 1.0, "locked_feature", " ".join((text.rstrip(), *notes)))


def _offers(text: str, title: str) -> bool:
    name = flat(title)
    if len(name) < _FEWEST_LETTERS:
        return False
    return any(
        f" {name} " in f" {said} " and _OFFERS.search(said) for said in map(_bare, split(text))
    )


def _bare(sentence: str) -> str:
    return re.sub(r"[.,']", " ", flat(sentence))


CHECK = CheckSpec(
    name="edition",
    direction="out",
    order=55,
    run=run,
    summary="Names the editions of features that the customer's own does not have.",
)
