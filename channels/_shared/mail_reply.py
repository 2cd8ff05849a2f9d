"""The new text of a mail: what the sender wrote this time, apart from quoted history and signature.

Owns the cutting. Header lines of the usual clients come from mail-parser-reply's tables; what those
miss is found by shape (a line with an address and a time that ends in a colon before a quote), not
by client. Only signatures that say so are taken off ("-- ", "Sent from my …"): a greeting is part
of the text. Line lengths and counts are capped before any pattern runs, so a hostile mail costs
linear time.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailparser_reply.constants import MAIL_LANGUAGES

MAX_LINES = 4_000
_MAX_HEADER_LINE = 300
_MAX_ATTRIBUTION_LINES = 5

_WROTE_WORDS = (
    "wrote|writes|schrieb|geschrieben|a écrit|écrit|escribió|escribio|escribe|ha scritto|scritto"
    "|escreveu|skrev|skrifaði|schreef|geschreven|napisał|napisała|napisał\\(a\\)|napsal|napsal\\(a\\)"
    "|napísal|kirjoitti|írta|a scris|написал|написала|написав|пишет|пише|yazdı|έγραψε|写道|寫道"
    "|pisze|napisana przez|missatge de|odesílatel|kirjoitti|schreef"
    "|のメール|書きました|작성|כתב|كتب|đã viết|a scris|rakstīja|rašė|kirjutas|shkroi|menulis"
)
_WROTE = re.compile(rf"(?:{_WROTE_WORDS})\s*[:：]\s*$", re.IGNORECASE)
_WROTE_WITHIN = re.compile(rf"\b(?:{_WROTE_WORDS})\b", re.IGNORECASE)
_ENDS_IN_ADDRESS = re.compile(r"[>\])]\s*[:：]\s*$")
_COLON = re.compile(r"[:：]\s*$")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"':;,]+@[^\s<>()\[\]\"':;,]+\.[^\s<>()\[\]\"':;,]+")
_WHEN = re.compile(
    r"\b\d{1,2}[:.h]\d{2}\b|\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b"
    r"|\b\d{1,2}\W{1,3}[^\W\d]{3,12}\W{1,3}\d{4}\b|\b[^\W\d]{3,12}\W{1,3}\d{1,2}\W{1,3}\d{4}\b"
    r"|\d{4}年"
)
_DATE_AND_SENDER = re.compile(
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b[^<\n]{0,80}<[^<>\s]+@[^<>\s]+>\s*$"
)
_MARKS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # which way text runs
_QUOTED = re.compile(r"^\s{0,3}>")
_FROM = (
    "From|Von|De|Da|Van|Od|Från|Fra|Lähettäjä|От|От кого|Від|Kimden|Από|Feladó|Expéditeur"
    "|Remitente|Mittente|Afzender|发件人|寄件者|寄件人|差出人|보낸 사람|보낸사람"
)
_SENT = (
    "Sent|Date|Gesendet|Datum|Envoyé|Date d'envoi|Enviado|Enviado el|Enviada|Enviada em|Enviado em"
    "|Fecha|Data|Inviato|Verzonden|Skickat|Sendt|Dato|Wysłano|Odesláno|Lähetetty|Päivämäärä|Дата"
    "|Отправлено|Gönderilen|Gönderildi|Gönderme|Elküldve|发送时间|發送時間|寄件日期|日期|送信日時|日時|보낸 날짜|날짜"
    "|Subject|Betreff|Objet|Asunto|Oggetto|Assunto|Onderwerp|Ämne|Emne|Temat|Předmět|Aihe|Тема"
    "|Konu|Tárgy|主题|主旨|件名|제목"
)
_TO = "To|Cc|An|À|Para|A|Aan|Till|Til|Do|Komu|Vastaanottaja|Кому|Kime|Címzett|Til|Către|收件人|收件者|宛先|받는 사람"
_FROM_LINE = re.compile(rf"^\W{{0,4}}(?:{_FROM})\W{{0,3}}\s*[:：]", re.IGNORECASE)
_SENT_LINE = re.compile(rf"^\W{{0,4}}(?:{_SENT})\W{{0,3}}\s*[:：]", re.IGNORECASE)
_HEAD_LINE = re.compile(rf"^\W{{0,4}}(?:{_FROM}|{_SENT}|{_TO})\W{{0,3}}\s*[:：]", re.IGNORECASE)
_DASHED = re.compile(r"^\s*[-‐‑_–—=*]{2,}\s*([^\W\d_][^\n]{2,60}?)\s*[-‐‑_–—=*]{2,}\s*:?$")
# Zoho: "---- On Wed, 04 Mar 2026 12:01:00 +0100 Ana <a@b.example> wrote ---"
_DASHED_WROTE = re.compile(r"^\s*-{3,}\s*(?P<said>\S.{8,240}?)\s*-{3,}\s*$")
# Notes: "Ana ---03/04/2026 12:01:00 PM---First words"; "Ana <a@b.example>@ACME on 03/04/2026 12:01:00 PM"
_NOTES = re.compile(
    r"^\s*\S.{1,120}?(?:\s-{2,3}\s?|\bon\s)\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\s+\d{1,2}:\d{2}:\d{2}"
    r"(?:\s?[AP]M)?(?:-{2,3}.*)?$",
    re.IGNORECASE,
)
_DASHED_WORDS = re.compile(
    r"origin|ursprüng|ursprung|oprindelig|opprinnelig|oorspronk|исходн|пересыл|forward|weitergel"
    r"|transf|reenvi|inoltra|doorgest|vidarebef|videresend|reply|przekaz|přeposl|原始|转发|轉寄"
    rf"|元の|전달|\b(?:{_WROTE_WORDS})$",
    re.IGNORECASE,
)
_FORWARD_WORDS = re.compile(
    r"forward|weitergel|transf|reenvi|inoltra|doorgest|vidarebef|videresend|przekaz|přeposl|пересыл"
    r"|转发|轉寄|전달",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_\-–—]{10,}\s*$")
_DELIMITER = re.compile(r"^\s*(?:--|—)\s*$")
_SENT_FROM = re.compile(
    r"^\W{0,3}(?:Sent from (?:my|the|Samsung|Yahoo|Mail|Outlook|Proton|mobile|an?)\b"
    r"|Get Outlook for|Sent (?:via|with|using) |Gesendet (?:von|mit) "
    r"|Von meinem .{2,40} gesendet|Envoyé (?:de|depuis) "
    r"|Enviado (?:desde|do|via|a partir) |Enviado de meu |Obtener Outlook para|Inviato da(?:l)? "
    r"|Verzonden (?:vanaf|met|via) |Skickat från |Sendt fra |Wysłane z |Odesláno z |Lähetetty "
    r"|Отправлено (?:с|из) |Holen Sie sich Outlook|Télécharger Outlook|发自我的|從我的"
    r"|iPhoneから送信)"
    r".{0,70}$",
    re.IGNORECASE,
)
_LIBRARY = tuple(
    re.compile(str(table["wrote_header"]), re.MULTILINE | re.IGNORECASE)
    for name, table in sorted(MAIL_LANGUAGES.items())
    if "wrote_header" in table and len(name) == 2
)


@dataclass(frozen=True, slots=True)
class ReplyText:
    """A mail's text in its parts.

    `is_forward` when what follows the text was forwarded, not answered.
    """

    text: str
    signature: str = ""
    history: str = ""
    is_forward: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    """Where history starts: `line`, and `body`, the first line after the words that announce it."""

    line: int
    body: int
    is_forward: bool = False


def cut_reply(text: str, *, is_reply: bool = True, is_forward: bool = False) -> ReplyText:
    """Return the new text apart from history and signature; never raises.

    What a customer forwards is what they want us to read, so a forward (`is_forward` by its
    subject, or by its own marks) keeps it. A mail that is no reply (`is_reply` False) and would be
    left empty is kept whole: nothing of ours can be quoted in it.
    """
    lines = _lines(text)
    new, history, start = _divide(lines)
    if start is not None and (start.is_forward or is_forward):
        return ReplyText(_join(lines), is_forward=True)
    new, signature = _without_signature(new)
    if not is_reply and not "".join(new).strip():
        return ReplyText(_join(lines))
    return ReplyText(_join(new), _join(signature), _join(history))


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").split("\n")
    return [line.rstrip() for line in lines[:MAX_LINES]]


def _join(lines: Sequence[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _divide(lines: list[str]) -> tuple[list[str], list[str], _Start | None]:
    start = min(_starts(lines), key=lambda found: found.line, default=None)
    if start is None:
        new, history = _split_quotes(lines, keep_single=True)
        return new, history, None
    before, quotes_before = _split_quotes(lines[: start.line], keep_single=True)
    if not "".join(before).strip():
        # Nothing above: whoever marks the quote under a block of headers answers below it.
        start = replace(start, body=_below_heads(lines, start.body))
    rest = lines[start.body :]
    first = next((line for line in rest if line.strip()), "")
    if _QUOTED.match(first) and not start.is_forward:
        # Marked history: what stands unmarked after it was written under it.
        after, quoted = _split_quotes(rest, keep_single=False)
        after = _drop_wrapped(rest, after)
        history = quotes_before + lines[start.line : start.body] + quoted
        return _joined(before, after), history, start
    return before, quotes_before + lines[start.line :], start


def _below_heads(lines: list[str], at: int) -> int:
    """Return the first line from `at` on that is neither empty nor a mail header."""
    while at < len(lines) and (not lines[at].strip() or _HEAD_LINE.match(lines[at])):
        at += 1
    return at


def _joined(before: list[str], after: list[str]) -> list[str]:
    if "".join(after).strip():
        nested, _, _ = _divide(after) if any(_starts(after)) else (after, [], None)
        return [*before, "", *nested]
    return before


def _drop_wrapped(rest: list[str], after: list[str]) -> list[str]:
    """Return `after` unless it is only the tail of a quoted line that a client wrapped."""
    words = [line for line in after if line.strip()]
    marked = [at for at, line in enumerate(rest) if _QUOTED.match(line)]
    if len(words) != 1 or not marked or len(rest[marked[-1]]) < 68:
        return after
    follows = marked[-1] + 1 < len(rest) and rest[marked[-1] + 1] == words[0]
    return [] if follows and len(words[0]) < 40 else after


def _split_quotes(lines: list[str], *, keep_single: bool) -> tuple[list[str], list[str]]:
    """Return (lines, quoted lines). A lone marked line inside a text may be no quote at all."""
    kept: list[str] = []
    quoted: list[str] = []
    for run, is_quote in _runs(lines):
        inside = bool("".join(kept).strip()) and run[-1] is not lines[-1]
        lone = keep_single and len(run) == 1 and inside
        (quoted if is_quote and not lone else kept).extend(run)
    return kept, quoted


def _runs(lines: list[str]) -> Iterator[tuple[list[str], bool]]:
    run: list[str] = []
    is_quote = False
    for line in lines:
        now = bool(_QUOTED.match(line))
        if run and now != is_quote:
            yield run, is_quote
            run = []
        is_quote = now
        run.append(line)
    if run:
        yield run, is_quote


# ---------------------------------------------------------------- where history starts


def _starts(lines: list[str]) -> Iterator[_Start]:
    short = [line[:_MAX_HEADER_LINE] for line in lines]
    for finder in (_by_library, _by_attribution, _by_header_block, _by_dashes, _by_notes):
        found = finder(short)
        if found is not None:
            yield found


def _by_library(lines: list[str]) -> _Start | None:
    """Return the first header of a client that mail-parser-reply knows."""
    text = "\n".join(lines)
    found = [match for match in (p.search(text) for p in _LIBRARY) if match and match[0].strip()]
    if not found:
        return None
    first = min(found, key=lambda match: match.start())
    skipped = len(first[0]) - len(first[0].lstrip())
    line = text.count("\n", 0, first.start() + skipped)
    return _Start(line, text.count("\n", 0, first.end()) + 1)


def _by_attribution(lines: list[str]) -> _Start | None:
    """Return the first "… wrote:" line, in any language, over one to five lines."""
    for last, line in enumerate(lines):
        if not (_COLON.search(line) or _ADDRESS.search(line)):
            continue
        is_quote_next = _quote_follows(lines, last)
        found: int | None = None
        for first in range(last, max(-1, last - _MAX_ATTRIBUTION_LINES), -1):
            joined = " ".join(part.strip() for part in lines[first : last + 1])
            if not lines[first].strip() and found is None:
                break
            if lines[first].strip() and announces(joined, is_quote_next=is_quote_next):
                found = first
                if _WHEN.search(joined):
                    break
        if found is not None:
            dated = any(_WHEN.search(part) for part in lines[found : last + 1])
            return _Start(found if dated or found == last else last, last + 1)
    return None


def announces(text: str, *, is_quote_next: bool) -> bool:
    """Return whether a line says that what follows was written by somebody, at some time."""
    text = _MARKS.sub("", text).lstrip("> ")
    dated, addressed = bool(_WHEN.search(text)), bool(_ADDRESS.search(text))
    if _WROTE.search(text):
        return dated or addressed
    if _COLON.search(text) and dated and _WROTE_WITHIN.search(text) and len(text) < 160:
        return True  # "Ana kirjoitti 4.3.2026 klo 12.01:", "Op 04-03-2026 om 12:01 schreef Ana:"
    if _COLON.search(text):
        says = _WROTE_WITHIN.search(text) or _ENDS_IN_ADDRESS.search(text)
        return dated and (is_quote_next or (addressed and bool(says)))
    is_all = is_quote_next or bool(_DATE_AND_SENDER.match(text))
    return dated and addressed and is_all and text.rstrip().endswith(">")


def _quote_follows(lines: list[str], at: int) -> bool:
    following = next((line for line in lines[at + 1 : at + 4] if line.strip()), "")
    return bool(_QUOTED.match(following))


def _by_header_block(lines: list[str]) -> _Start | None:
    """Return the first block of mail headers, as Outlook and forwards write them."""
    for at, line in enumerate(lines):
        if not _HEAD_LINE.match(line):
            continue
        block = [part for part in lines[at : at + 10] if part.strip()][:6]
        heads = [part for part in block if _HEAD_LINE.match(part)]
        has_from = any(_FROM_LINE.match(part) for part in heads)
        has_sent = any(_SENT_LINE.match(part) for part in heads)
        if has_from and has_sent and (_FROM_LINE.match(line) or len(heads) >= 3):
            above = at - 1
            while above >= 0 and (not lines[above].strip() or _RULE.match(lines[above])):
                above -= 1
            return _Start(above + 1, at)
    return None


def _by_dashes(lines: list[str]) -> _Start | None:
    """Return the first "-----Original Message-----" in any language."""
    for at, line in enumerate(lines):
        found = _DASHED.match(line)
        if found and _DASHED_WORDS.search(found[1]):
            return _Start(at, at + 1, bool(_FORWARD_WORDS.search(found[1])))
    return None


def _by_notes(lines: list[str]) -> _Start | None:
    """Return the first line of Zoho's or Notes' own kind, which end in no colon."""
    for at, line in enumerate(lines):
        dashed = _DASHED_WROTE.match(line) if line.endswith("---") else None
        said = dashed["said"] if dashed else ""
        is_zoho = bool(_WROTE_WITHIN.search(said) and _WHEN.search(said) and _ADDRESS.search(said))
        if is_zoho or (("---" in line or _ADDRESS.search(line)) and _NOTES.match(line)):
            return _Start(at, at + 1)
    return None


def _without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    for at, line in enumerate(lines):
        rest = [part for part in lines[at + 1 :] if part.strip()]
        if _DELIMITER.match(line) and len(rest) <= 15:
            return lines[:at], lines[at:]
        if _SENT_FROM.match(line[:_MAX_HEADER_LINE]) and len(rest) <= 2:
            return lines[:at], lines[at:]
    return lines, []
