"""Fetch a file somebody sent us: from Twilio's hosts only, the account's credentials to its API alone.

A media URL stands in a webhook, so it is believed only as far as its host: anything else could make us call our own
network. Twilio redirects to a signed URL at its file host, which gets no credentials.
Source: Twilio's pages "Media resource" and "Protect media access with HTTP basic authentication".
Imported inside a channel's `build`. Not here: which kinds of file are kept (port Files).
"""

import asyncio
from urllib.parse import urljoin, urlsplit

import requests

from channels._shared.twilio import CONNECT_TIMEOUT, TwilioAccess, retry_after
from core.errors import PermanentDeliveryError, RetryableDeliveryError, TooLargeError

_API_HOSTS = frozenset({"api.twilio.com", "mcs.us1.twilio.com"})
_FILE_HOSTS = frozenset({"mms.twiliocdn.com", "media.twiliocdn.com", "media.us1.twilio.com"})
_BUCKET = "s3-external-1.amazonaws.com"  # of accounts that do not protect their media
_REDIRECTS = 3
_CHUNK = 65_536


async def fetch_media(access: TwilioAccess, url: str, limit: int) -> bytes:
    """Return the file, at most `limit` bytes.

    Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError (not Twilio's, gone, refused).
    """
    try:
        return await asyncio.to_thread(_fetch, access, url, limit)
    except requests.RequestException as error:
        raise RetryableDeliveryError("the file could not be reached") from error


def _fetch(access: TwilioAccess, url: str, limit: int) -> bytes:
    with requests.Session() as session:
        session.trust_env = False  # no credentials from a .netrc
        for _ in range(_REDIRECTS + 1):
            auth = access.credentials() if _is_api(url, access.base_url) else None
            if auth is None and not _is_file_host(url):
                raise PermanentDeliveryError("the file is not at one of Twilio's hosts")
            with session.get(
                url,
                auth=auth,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_TIMEOUT, access.timeout),
            ) as answer:
                target = answer.headers.get("Location")
                if answer.is_redirect and target:
                    url = urljoin(url, target)
                    continue
                _require_found(answer)
                return _read(answer, limit)
    raise PermanentDeliveryError("the file's address leads in circles")


def _require_found(answer: requests.Response) -> None:
    status = answer.status_code
    if status in (408, 429) or status >= 500:
        wait = retry_after(answer.headers)
        raise RetryableDeliveryError(f"the file host answered {status}", retry_after=wait)
    if status != 200:
        raise PermanentDeliveryError(f"the file host answered {status}")


def _read(answer: requests.Response, limit: int) -> bytes:
    declared = answer.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLargeError("the file is too large")
    data = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise TooLargeError("the file is too large")
    return bytes(data)


def _is_api(url: str, base_url: str | None) -> bool:
    """Tell whether the account's credentials may go there."""
    try:
        parts = urlsplit(url)
        if base_url:
            base = urlsplit(base_url)
            return (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        return parts.scheme == "https" and parts.netloc.lower() in _API_HOSTS
    except ValueError:
        return False


def _is_file_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.netloc.lower()
    is_bucket = host == _BUCKET and parts.path.startswith("/media.twiliocdn.com/")
    return parts.scheme == "https" and (host in _FILE_HOSTS or is_bucket)
