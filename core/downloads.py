"""Headers under which a customer's file leaves this server: downloaded, sniffed by nobody, a page of nobody's.

Not here: which files are kept at all (core/files.py).
"""

from collections.abc import Mapping
from urllib.parse import quote

from core.files import PREVIEWED

_ALWAYS = {
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "private, max-age=600",
}


def headers_for(name: str, content_type: str, *, shown: bool = False) -> Mapping[str, str]:
    """Return the headers of a file; `shown` lets a page of ours show a picture, and nothing else."""
    inline = shown and content_type in PREVIEWED
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    how = "inline" if inline else "attachment"
    return {
        **_ALWAYS,
        "content-type": _served(content_type),
        "content-disposition": f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
    }


def _served(content_type: str) -> str:
    """Return the type a browser is told: text of every kind is plain text."""
    is_text = content_type.startswith(("text/", "message/")) or content_type == "application/json"
    return "text/plain; charset=utf-8" if is_text else content_type
