"""What `usher channels check email` looks at: log in where mail goes out and comes in, and say what is missing.

Owns the sentences. Nothing is sent. SPF, DKIM and MX stand in the DNS, which the standard library cannot ask: the
finding says what to look for. Not here: the webhook, which only its provider can call.
"""

import asyncio
import imaplib
import ssl

from channels._shared.mail_delivery import SmtpAccount, connected
from channels._shared.mail_imap import ImapAccount, ImapSession
from core.contracts import Finding
from core.errors import DeliveryError


async def examine_mail(
    smtp: SmtpAccount,
    imap: ImapAccount | None,
    *,
    has_authserv: bool,
    has_reply_secret: bool,
    address: str,
) -> tuple[Finding, ...]:
    """Return what was found, right or wrong; raises nothing."""
    found = [await _smtp(smtp, address)]
    if imap is not None:
        found.append(await asyncio.to_thread(_imap, imap))
    found.append(
        Finding(ok=True, sentence="The sender of a mail is believed as our own server found it.")
        if has_authserv
        else Finding(
            ok=False,
            sentence="USHER_EMAIL_AUTHSERV_ID is empty, so no sender is proven; set it to the name your"
            " receiving server writes first in Authentication-Results.",
        )
    )
    found.append(
        Finding(
            ok=True, sentence="Replies carry a signed plus-address and find their conversation."
        )
        if has_reply_secret
        else Finding(
            ok=False,
            sentence="USHER_EMAIL_REPLY_SECRET is empty: threads go by References alone, and mails sent unasked"
            " carry no way to end them.",
        )
    )
    domain = address.rpartition("@")[2]
    found.append(
        Finding(
            ok=True,
            sentence=f"Not looked at: the DNS. {domain} needs an MX that leads here, SPF for the server above,"
            f" DKIM and DMARC; ask with `dig +short mx {domain}` and `dig +short txt _dmarc.{domain}`.",
        )
    )
    return tuple(found)


async def _smtp(account: SmtpAccount, address: str) -> Finding:
    from aiosmtplib import SMTPException, SMTPResponseException

    place = f"{account.host}:{account.port}"
    try:
        async with connected(account) as client:
            await client.mail(address)
            await client.rset()
    except DeliveryError as error:
        return Finding(
            ok=False,
            sentence=f"Mail cannot go out by {place}: {error.detail}.{_hint(error.detail)}",
        )
    except SMTPResponseException as error:
        return Finding(
            ok=False,
            sentence=f"{place} refuses {address} as a sender ({error.code}); verify the address or its domain there.",
        )
    except (SMTPException, OSError) as error:
        return Finding(ok=False, sentence=f"{place} went away ({type(error).__name__}).")
    return Finding(ok=True, sentence=f"Mail can go out by {place} ({account.security}).")


def _hint(detail: str) -> str:
    if "535" in detail or "534" in detail:
        return " USHER_EMAIL_SMTP_USERNAME or _PASSWORD is wrong, or the provider wants an app password."
    if "TLS" in detail or "starttls" in detail.lower() or "SSL" in detail:
        return " USHER_EMAIL_SMTP_SECURITY does not fit this port: 587 is starttls, 465 is tls."
    return " Look at USHER_EMAIL_SMTP_HOST, _PORT and the firewall."


def _imap(account: ImapAccount) -> Finding:
    place = f"{account.host}:{account.port}"
    session = ImapSession(account)
    try:
        session.open()
        waits = session.can_idle()
    except imaplib.IMAP4.error:
        return Finding(
            ok=False,
            sentence=f"{place} refuses USHER_EMAIL_IMAP_USERNAME with _PASSWORD, or IMAP is switched off for"
            " the mailbox.",
        )
    except ssl.SSLError as error:
        return Finding(
            ok=False,
            sentence=f"No encrypted connection to {place} ({error.reason}); 993 is tls, 143 is starttls.",
        )
    except ConnectionError:
        return Finding(
            ok=False, sentence=f"{place} has no folder {account.folder!r}, or cannot be reached."
        )
    except (OSError, EOFError) as error:
        return Finding(ok=False, sentence=f"{place} cannot be reached ({type(error).__name__}).")
    finally:
        session.close()
    how = "pushes new mail (IDLE)" if waits else "has no IDLE: it is asked every minute"
    return Finding(ok=True, sentence=f"Mail comes in from {place}, which {how}.")
