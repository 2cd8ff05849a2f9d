"""Requests that stand in somebody else's text: a notification or forwarded mail that suddenly asks for a poem.

Owns: what reads like a mail by a machine or a third party, and which of its sentences ask for something that has
nothing to do with the rest. A customer's own message never qualifies, however it is worded.
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from guardrails._shared.unveil import clean

# What mails by machines and forwarded mails carry, and what people write to support does not.
_MARKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bsubject:|\basunto:",
        r"\b(?:email_)?from:\s?\S|\bde:\s?\S+@",
        r"\b(?:received )?date:\s?\S|\bsent:\s",
        r"\bcontent:\s",
        r"\bunsubscribe\b|\bcancelar suscripcion\b",
        r"\bprivacy policy\b|\bterms of service\b",
        r"\byou are receiving (?:this|notifications)\b",
        r"\bjust reply to this e?-?mail\b|\bdo not reply to this\b|\bnoreply@|\bno-reply@|\bdonotreply@",
        r"(?:©|\(c\)) ?(?:19|20)\d\d|\ball rights reserved\b",
        r"\bview (?:in browser|online|this email)\b",
        r"\bthe \w+(?: \w+)? t(?:eam)?\b\s*$",
        r"\b(?:your|company's) \w+ (?:\w+ )?(?:card|account) ••|••\d{2,4}",
        r"\b(?:hi|hello|dear|hola) [a-z]+\s?,?.{0,40}\b(?:you(?:'ve| have)? (?:sent|received)|your .{1,40} (?:has been|was|is|will be))\b",
        r"\bforwarded message\b|\bmensaje reenviado\b|-{3,} ?original message",
        r"\binvoice (?:number|no|#)|\btotal(?: due| paid)?:? ?(?:us)?[$€£]",
        r"\b(?:has|have) been (?:charged|credited|preauthorized|sent|received|withdrawn|deposited)\b|\bwas (?:charged|preauthorized|applied|credited)\b",
    )
)
_FEWEST_WORDS = 12
_FEWEST_ASKED = 5
# A sentence ends at its mark, or where a capital begins a request because the mark was lost.
_END = re.compile(
    r"(?<=[!?\n|])\s*|(?<=\.)(?=\s|[A-Z])\s*|\s(?=(?:Write|Compose|Draft|Develop|Create|Generate|Provide|Give|Explain|Describe|Translate|Summari[sz]e|Analy[sz]e|List|Tell|Compare|Discuss|Outline|Calculate|Convert|Suggest|Recommend|Break|Show|Teach|Identify|Evaluate"
    r"|Classify|Predict|Design|Build|Implement|Solve|Find|Search|Research|Schedule|Remind|Organi[sz]e|Automate|Draw|Turn|Estimate|Guess|Pretend|Sort|Rank|Rate|Judge|Recite|Let's|Set|Imagine|Propose|Craft|Prepare|Can|Could|What|Who|When|Where|Why|How|Which|Escribe|Explica|Traduce|Resume)\b)"
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|my|me|yo|mi|me)\b")
_HEADERS = re.compile(
    r"\bsubject:|\bemail_from:|\bforwarded message\b|-{3,} ?original message|\basunto:|\bmensaje reenviado\b"
)
_ASKS = re.compile(
    r"^\W*(?:please |also |then |now |next,? |finally,? )?(?:"
    r"(?:write|compose|draft|develop|create|generate|provide|give|explain|describe|translate|summari[sz]e|analy[sz]e|list|tell|name|define|compare|discuss|outline|calculate|compute|convert|suggest|recommend"
    r"|break down|show|teach|identify|evaluate|assess|classify|predict|plan|design|build|implement|solve|find|search|look up|research|schedule|remind|set|play|recite|sing|invent|imagine|brainstorm|organi[sz]e|automate|draw up|turn|estimate|guess|pretend|sort|rank|rate|judge|let's|propose|craft|prepare"
    r"|conduct|perform|interpret|elaborate|illustrate|encode|decode|rewrite|paraphrase|proofread|promote|advertise|announce|spread|share|encourage|inform|warn|convince|persuade|claim|state|say|introduce|highlight|emphasi[sz]e"
    r"|escribe|redacta|explica|describe|traduce|resume|analiza|cuenta|dime|calcula|haz|crea|genera)\b"
    r"|(?:what|who|when|where|why|how|which|can you|could you|would you|do you|does|did|is it|are there|que es|quien|cuando|donde|por que|como)\b.*\?"
    r")"
)
# What such mails themselves ask of their reader.
_USUAL = re.compile(
    r"\b(?:your|our|my|us|this (?:e?mail|message|invoice|charge|transaction|payment)|account|invoice|payment|card|order|subscription|unsubscribe|click|log ?in|sign ?in|password|support|help ?(?:center|desk)|questions|receipt"
    r"|billing|refund|plan|contact|reply|webinar|demo|app|download|dashboard|settings|tu|su|nuestro|cuenta|factura)\b|••|[$€£]\d|\bq:"
)


def foreign_request(text: str) -> tuple[str, ...]:
    """Return ("request",) when a mail of somebody else's holds a request that is none of its business."""
    sentences = [" ".join(part.split()).lower() for part in _END.split(clean(text)) if part]
    together = " ".join(sentences)
    if len(together.split()) < _FEWEST_WORDS or not any(mark.search(together) for mark in _MARKS):
        return ()
    asked = [said for said in sentences if _is_foreign(said)]
    if not asked:
        return ()
    # Who speaks of themselves is a customer who tells what happened, unless it is plainly a mail that was passed on.
    others = " ".join(said for said in sentences if said not in asked)
    if _FIRST_PERSON.search(others) and not _HEADERS.search(together):
        return ()
    return ("request",)


def _is_foreign(said: str) -> bool:
    fewest = _FEWEST_ASKED - said.endswith("?")
    long = len(said.split()) >= fewest
    return long and bool(_ASKS.search(said)) and not _USUAL.search(said)
