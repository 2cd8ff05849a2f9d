"""One mail handed to an SMTP server, and what its answer means for the send.

Before the server has the text nothing can have been sent: such failures may be repeated. A
connection lost after that leaves the outcome unknown. A refused password or missing encryption is
our set-up, not the mail's fault, and waits to be repaired. Server texts are kept out of errors:
they quote addresses.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from core.errors import PermanentDeliveryError, RetryableDeliveryError, UnknownOutcomeError

if TYPE_CHECKING:
    from aiosmtplib import SMTP

logger = logging.getLogger(__name__)

_SETUP_CODES = frozenset((523, 530, 534, 535, 538))


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """How to reach the server. `security`: starttls | tls | none; `timeout` in seconds per step."""

    host: str
    port: int
    security: str
    username: str
    password: SecretStr
    timeout: float


async def hand_over(
    mail: bytes, sender: str, recipients: Sequence[str], account: SmtpAccount
) -> None:
    """Hand one mail to the server. The first recipient decides; a copy that is refused is only logged.

    Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
    """
    from aiosmtplib import SMTPException, SMTPResponseException

    async with connected(account) as client:
        try:
            options, encoding = _options(client, mail, recipients)
            await client.mail(sender, options=options, encoding=encoding)
            await client.rcpt(recipients[0], encoding=encoding)
            for copy in recipients[1:]:
                await _copy(client, copy, encoding)
        except SMTPResponseException as error:
            raise _judged(error.code, "the server refused the mail") from error
        except (SMTPException, OSError) as error:
            raise RetryableDeliveryError("the mail server went away") from error
        await _send_text(client, mail)


async def _copy(client: "SMTP", recipient: str, encoding: str) -> None:
    from aiosmtplib import SMTPResponseException

    try:
        await client.rcpt(recipient, encoding=encoding)
    except SMTPResponseException as error:
        logger.warning("email.copy_refused", extra={"code": error.code})


async def _send_text(client: "SMTP", mail: bytes) -> None:
    from aiosmtplib import SMTPException, SMTPResponseException

    try:
        await client.data(mail)
    except SMTPResponseException as error:
        if error.code == -1:
            raise UnknownOutcomeError("the connection broke while the mail was taken") from error
        raise _judged(error.code, "the server refused the text") from error
    except (SMTPException, OSError) as error:
        raise UnknownOutcomeError("the connection broke while the mail was taken") from error


@asynccontextmanager
async def connected(account: SmtpAccount) -> AsyncIterator["SMTP"]:
    """Yield a connected, logged-in client, and part from the server politely whatever happens."""
    from aiosmtplib import SMTP, SMTPException, SMTPResponseException

    client = SMTP(
        hostname=account.host,
        port=account.port,
        timeout=account.timeout,
        use_tls=account.security == "tls",
        start_tls=account.security == "starttls",
        username=account.username or None,
        password=account.password.get_secret_value() if account.username else None,
    )
    try:
        await client.connect()
    except SMTPResponseException as error:
        client.close()
        raise RetryableDeliveryError(f"no session with the mail server ({error.code})") from error
    except (SMTPException, OSError, ValueError) as error:
        client.close()
        raise RetryableDeliveryError(
            f"no connection to the mail server ({type(error).__name__})"
        ) from error
    try:
        yield client
    finally:
        await _part(client)


async def _part(client: "SMTP") -> None:
    from aiosmtplib import SMTPException

    try:
        if client.is_connected:
            await client.quit(timeout=2)
    except (SMTPException, OSError):
        logger.debug("email.quit_failed")
    finally:
        client.close()


def _options(client: "SMTP", mail: bytes, recipients: Sequence[str]) -> tuple[list[str], str]:
    options = [f"SIZE={len(mail)}"] if client.supports_extension("size") else []
    if all(recipient.isascii() for recipient in recipients):
        return options, "ascii"
    if not client.supports_extension("smtputf8"):
        raise PermanentDeliveryError("the server takes no address outside ASCII")
    return [*options, "SMTPUTF8", "BODY=8BITMIME"], "utf-8"


def _judged(code: int, what: str) -> RetryableDeliveryError | PermanentDeliveryError:
    if code < 500 or code in _SETUP_CODES:
        return RetryableDeliveryError(f"{what} ({code})")
    return PermanentDeliveryError(f"{what} ({code})")
