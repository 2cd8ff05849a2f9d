"""A team's own answers into knowledge: reviewed, approved by somebody who may, searchable when this returns.

Owns what keeps an answer from going public, and who may state what. An answer is a document of the source
`answers`, found by its question and by the other wordings it was asked in; those are searched, never shown.
Not here: gaps (app/gaps.py), finding what to highlight (app/highlights.py).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import numpy as np

from app.highlights import Highlight, highlights, statements
from app.services import Services
from core.conversations import Account, Contact
from core.errors import BadInputError, ForbiddenError, NotFoundError
from core.ids import AccountId, ContactId, DocumentId, PassageId, TenantId
from core.outcomes import CheckContext, Outcome
from core.pii import SECRET, find, mask
from core.ports import Chunk, Document, TenantPolicy
from core.turns import Passage, Verdict
from core.views import AnswerRow
from ingest.chunk import embedding_text
from ingest.documents import documents
from ingest.load import load

SOURCE = "answers"
APPROVERS = frozenset({"admin", "approver"})
WHO_MAY = "An admin or an approver must approve what is said about money or policy."
MAX_QUESTION, MAX_ANSWER, MAX_ALIASES, MAX_NAME = 300, 10_000, 30, 120
# this check says who may approve, not whether the text is sound
_AUTHORITY = "authority"
_LOCALE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as an editor wrote it.

    `aliases` are other wordings of the question; `editions` none is all; `public` are addresses and
    numbers in the text that the editor says are the company's own.
    """

    question: str
    text: str
    author: str
    review_by: datetime | None
    locale: str = "en"
    internal: bool = False
    editions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    public: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """What stands against an answer. `problems` keep it from being approved by anybody.

    `approver` holds why only somebody with the approver's role may approve it; none: anybody who writes.
    """

    spans: tuple[Highlight, ...]
    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...]
    approver: tuple[str, ...]


async def review(
    services: Services, tenant: TenantId, draft: Draft, gap: str | None = None
) -> Review:
    """Return what to look at in an answer before it is public. Changes nothing."""
    policy = await services.directory.policy(tenant)
    understood = await services.understands.understand(
        tenant, draft.text, (), services.clock.now(), policy.time_zone
    )
    names = await _names(services, tenant, gap)
    spans = highlights(draft.text, names, understood.times)
    verdicts = await _verdicts(services, tenant, draft, policy)
    problems = [*_missing(draft, policy.editions, services.clock.now())]
    problems += [_sentence(v) for v in verdicts if v.verdict != "pass" and v.check != _AUTHORITY]
    problems += [
        f"It names a customer: {draft.text[s.start : s.end]}."
        for s in spans
        if s.kind == "name" and s.reason == "The name of a customer"
    ]
    problems += [
        f"The question holds personal data: {kind.replace('_', ' ').lower()}."
        for kind, _, _ in find(draft.question, names=False)
    ]
    said = [s.reason for s in (*statements(draft.question), *statements(draft.text))]
    said += [
        "A promise or a price" for v in verdicts if v.check == _AUTHORITY and v.verdict != "pass"
    ]
    return Review(spans, verdicts, tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(said)))


async def _names(services: Services, tenant: TenantId, gap: str | None) -> Sequence[str]:
    """Return the names of those who asked, and of their companies."""
    names: list[str] = []
    askers = await services.gaps.askers(tenant, gap) if gap else ()
    for contact in dict.fromkeys(asker.contact_id for asker in askers):
        found = await services.directory.contact(tenant, ContactId(contact))
        if found is None:
            continue
        parts = (found.name or "").split()
        names += [found.name or "", *(part for part in parts if len(part) > 3)]
        names += [found.account.name] if found.account else []
    return names


async def _verdicts(
    services: Services, tenant: TenantId, draft: Draft, policy: TenantPolicy
) -> tuple[Verdict, ...]:
    """Return what the outgoing checks say of the answer as if the bot said it with no source behind it."""
    text = f"{draft.question}\n\n{draft.text}"
    # what the editor vouches for counts as the docs'; never a card, an IBAN or a password
    secret = {draft.text[a:b] for kind, a, b in find(draft.text) if kind in SECRET}
    own = "\n".join(value for value in draft.public if value not in secret)
    sources = (Passage(PassageId("own"), DocumentId("own"), "own", "", "", own),) if own else ()
    reader = next(reversed(draft.editions or policy.editions), "")
    context = CheckContext(
        tenant=tenant,
        locale=draft.locale,
        channel="web",
        understanding=await services.understands.understand(
            tenant, draft.question, (), services.clock.now(), policy.time_zone
        ),
        outcome=Outcome(text, handler="answer", sources=sources),
        sources=sources,
        contact=Contact(
            ContactId("con_draft"),
            account=Account(AccountId("acc_draft"), "draft", "", edition=reader),
        ),
        asked=draft.question,
        policy=policy,
    )
    return await services.chain.judge("out", text, context)


def _sentence(verdict: Verdict) -> str:
    why = verdict.reason.replace("_", " ").replace(",", ", ").lower() or "no reason given"
    return f"The check {verdict.check.replace('_', ' ')} would not let it out: {why}."


def _missing(draft: Draft, editions: Sequence[str], now: datetime) -> Iterable[str]:
    if not 3 <= len(draft.question.strip()) <= MAX_QUESTION:
        yield f"The question has 3 to {MAX_QUESTION} characters."
    if not 1 <= len(draft.text.strip()) <= MAX_ANSWER:
        yield f"The answer has 1 to {MAX_ANSWER} characters."
    if not 1 <= len(draft.author.strip()) <= MAX_NAME:
        yield "Say who wrote it."
    if draft.review_by is None or draft.review_by <= now:
        yield "Set a day in the future on which somebody looks at it again."
    if not _LOCALE.fullmatch(draft.locale):
        yield "The language is two letters, like en."
    if len(draft.aliases) > MAX_ALIASES:
        yield f"There are at most {MAX_ALIASES} other wordings."
    known = {edition.casefold() for edition in editions}
    unknown = [each for each in draft.editions if each.casefold() not in known]
    if unknown:
        yield f"There is no edition {', '.join(unknown)}."


async def approve(
    services: Services,
    tenant: TenantId,
    draft: Draft,
    actor: str,
    role: str,
    *,
    gap: str | None = None,
    answer: DocumentId | None = None,
) -> AnswerRow:
    """Publish a new answer, or a new version of `answer`; it is found when this returns. Closes the gap.

    Raises BadInputError with every problem, ForbiddenError when the role may not state it, NotFoundError.
    """
    before = await _known(services, tenant, answer, gap)
    found = await review(services, tenant, draft, gap or (before.gap if before else None))
    if found.problems:
        raise BadInputError(" ".join(found.problems))
    if role not in APPROVERS and found.approver:
        raise ForbiddenError(f"{WHO_MAY} It is about: {'; '.join(found.approver).lower()}.")
    path = before.path if before else await _path(services, tenant, draft.question)
    version = before.version + 1 if before else 1
    document = _document(draft, path, version, gap or (before.gap if before else None), actor)
    known = await services.passages.put(tenant, document, await _vectors(services, document, draft))
    if gap:
        await services.gaps.close(tenant, gap, "answered", actor, None, known)
    await services.access.audit(
        tenant,
        actor,
        "answer.edited" if before and before.withdrawn_at is None else "answer.approved",
        known,
        {
            "path": path,
            "version": version,
            "gap": gap,
            "audience": "internal" if draft.internal else "public",
            "editions": list(draft.editions),
            "locale": draft.locale,
            "review_by": document.review_by.isoformat() if document.review_by else None,
            "about": list(found.approver),
            "vouched_for": len(draft.public),
        },
    )
    await services.after_ingest(tenant)
    made = await services.approved.find(tenant, known)
    if made is None:
        raise NotFoundError("the answer was withdrawn while it was approved")
    return made


async def _known(
    services: Services, tenant: TenantId, answer: DocumentId | None, gap: str | None
) -> AnswerRow | None:
    """Return the answer that gets a new version: the one named, or the one the gap has already."""
    if answer is not None:
        found = await services.approved.find(tenant, answer)
        if found is None:
            raise NotFoundError("no such answer")
        return found
    if gap is None:
        return None
    asked = await services.gaps.find(tenant, gap)
    if asked is None or asked.status != "open":
        raise NotFoundError("this gap is not open")
    kept = asked.document_id
    found = await services.approved.find(tenant, kept) if kept else None
    return found if found and found.withdrawn_at is None else None


async def withdraw(
    services: Services, tenant: TenantId, answer: DocumentId, actor: str, reason: str
) -> None:
    """Silence an answer at once and open its gap again. Raises NotFoundError."""
    found = await services.approved.find(tenant, answer)
    if found is None or found.withdrawn_at is not None:
        raise NotFoundError("no such answer")
    await services.passages.delete(tenant, SOURCE, [found.path])
    await services.gaps.reopen(tenant, answer)
    await services.access.audit(
        tenant, actor, "answer.withdrawn", answer, {"path": found.path, "reason": reason[:300]}
    )
    await services.after_ingest(tenant)


# ---------------------------------------------------------------- the document


def _document(draft: Draft, path: str, version: int, gap: str | None, actor: str) -> Document:
    """Return the document: the answer cut as any Markdown page, and its first piece once per wording.

    A wording's piece has the answer's own text, so that what a customer once asked is found but never read out.
    """
    question = " ".join(draft.question.split())
    page = load(path, f"# {question}\n\n{draft.text.strip()}\n".encode())
    made = documents(SOURCE, path, [page], draft.locale) if page else ()
    if not made:
        raise BadInputError("The answer holds no text.")
    document = made[0].document
    wordings = (question, *_wordings(draft))
    first = document.chunks[0]
    twins = tuple(
        Chunk(len(document.chunks) + n, first.section, first.text, first.anchor)
        for n in range(len(wordings))
    )
    kept = {
        "answer": draft.text.strip(),
        "aliases": "\n".join(wordings[1:]),
        "gap": gap or "",
        "approved_by": actor,
    }
    seed = repr((version, question, kept, draft.editions, draft.internal, draft.locale))
    return replace(
        document,
        title=question,
        digest=hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest(),
        chunks=(*document.chunks, *twins),
        locale=draft.locale,
        url=None,
        editions=tuple(edition.casefold() for edition in draft.editions),
        internal=draft.internal,
        metadata={},
        version=str(version),
        valid_from=None,
        valid_until=None,
        author=draft.author.strip(),
        review_by=draft.review_by,
        origin=kept,
    )


def _wordings(draft: Draft) -> tuple[str, ...]:
    """Return the other wordings, masked, on one line each, without the question itself."""
    flat = (mask(" ".join(alias.split()))[:MAX_QUESTION] for alias in draft.aliases)
    own = draft.question.strip().casefold()
    return tuple(dict.fromkeys(alias for alias in flat if alias and alias.casefold() != own))


async def _vectors(services: Services, document: Document, draft: Draft) -> list[bytes]:
    """Return a vector per piece: of title and text for the page's own, of the wording alone for the others."""
    wordings = (document.title, *_wordings(draft))
    own = document.chunks[: len(document.chunks) - len(wordings)]
    texts = [embedding_text(document, chunk) for chunk in own]
    found = np.asarray(await services.encode([*texts, *wordings]), "<f4")
    return [row.tobytes() for row in found]


async def _path(services: Services, tenant: TenantId, question: str) -> str:
    """Return a path that no answer has, from the question's words."""
    plain = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or "answer"
    taken = await services.approved.paths(tenant, slug)
    path, n = f"{slug}.md", 2
    while path in taken:
        path, n = f"{slug}-{n}.md", n + 1
    return path


def review_json(found: Review) -> dict[str, object]:
    """Return the public shape of a review."""
    return {
        "spans": [asdict(span) for span in found.spans],
        "checks": [
            {"name": v.check, "verdict": v.verdict, "score": round(v.score, 4), "reason": v.reason}
            for v in found.verdicts
        ],
        "problems": list(found.problems),
        "needs_approver": bool(found.approver),
        "about": list(found.approver),
        "who_may": WHO_MAY if found.approver else "Everybody who may write.",
    }
