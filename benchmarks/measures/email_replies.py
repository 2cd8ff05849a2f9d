"""The new text of mails with quoted history (talon, Mailgun, Apache-2.0), as `usher inspect mail` reads it."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from benchmarks.bench import Bench, Row
from channels._shared.mail_inspect import describe_mail


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Yield the share of mails whose new text is exactly the wanted one, spaces aside."""
    rows = bench.rows("email/replies.dev.jsonl")
    wrong = [row["id"] for row in rows if not _is_right(row)]
    right = len(rows) - len(wrong)
    yield Row(
        "new text of a mail",
        "email/replies.dev",
        f"{100 * right / len(rows):.1f} % ({right} of {len(rows)})",
        "the two usual Python libraries: about 57 % on all of it",
        "above 57 %",
        right > 0.57 * len(rows),
        f"Whole mails as they are, bare texts and pages as the body of one. Wrong: {', '.join(wrong) or 'none'}."
        " The set is small; what the rules are held to is the table of clients and languages in"
        " tests/channels/test_mail_reply.py.",
    )


def _is_right(row: dict[str, Any]) -> bool:
    found = str(describe_mail(_mail(row["input"]))["text"])
    return found.split() == str(row["gold"]).split()


def _mail(given: dict[str, str]) -> bytes:
    if "eml" in given:
        return given["eml"].encode()
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"], mail["Message-ID"] = "a@b.example", "Re: Hello", "<1@b.example>"
    kind = "html" if "html" in given else "plain"
    mail.set_content(given[kind], subtype=kind, cte="base64")
    return mail.as_bytes()
