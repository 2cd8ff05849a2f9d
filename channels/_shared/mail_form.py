"""Forms that carry a mail: what Mailgun's routes post (multipart/form-data or urlencoded).

Owns reading the fields as bytes, since a raw mail is no text. Believes nothing in them.
"""

import io
import re
from urllib.parse import parse_qsl, unquote_plus

from core.contracts import WebhookRequest
from core.errors import AnomalousPayloadError

MAX_FIELDS = 200
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def has_form(request: WebhookRequest) -> bool:
    """Return whether the body is a form."""
    return request.headers.get("content-type", "").lower().startswith(_FORMS)


def quick_field(request: WebhookRequest, name: str) -> str:
    """Return a short field without reading the whole form; "" when it is not found."""
    key = re.escape(name.encode())
    if request.headers.get("content-type", "").lower().startswith(_FORMS[1]):
        found = re.search(rb"(?:^|&)" + key + rb"=([^&]{0,1000})", request.body)
        return unquote_plus(found[1].decode("ascii", "replace")) if found else ""
    pattern = rb'name="?' + key + rb'"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]{0,1000})'
    found = re.search(pattern, request.body)
    return found[1].decode("utf-8", "replace").strip() if found else ""


def form_fields(request: WebhookRequest) -> dict[str, bytes]:
    """Return the fields; of a repeated one the first. Raises AnomalousPayloadError. Blocking."""
    content_type = request.headers.get("content-type", "")
    if content_type.lower().startswith(_FORMS[1]):
        return _urlencoded(request.body)
    from python_multipart import parse_form
    from python_multipart.exceptions import FormParserError

    fields: dict[str, bytes] = {}

    def on_field(field: object) -> None:
        name, value = getattr(field, "field_name", None), getattr(field, "value", None)
        _keep(fields, name, value or b"")

    def on_file(file: object) -> None:
        name, content = getattr(file, "field_name", None), getattr(file, "file_object", None)
        if content is not None:
            content.seek(0)
            _keep(fields, name, content.read())

    headers = {
        "Content-Type": content_type.encode("latin-1", "replace"),
        "Content-Length": str(len(request.body)).encode(),
    }
    try:
        parse_form(headers, io.BytesIO(request.body), on_field, on_file)
    except (FormParserError, ValueError) as error:
        raise AnomalousPayloadError("the form cannot be read") from error
    return fields


def _keep(fields: dict[str, bytes], name: object, value: bytes) -> None:
    if len(fields) >= MAX_FIELDS:
        raise AnomalousPayloadError("the form has too many fields")
    if isinstance(name, bytes):
        fields.setdefault(name.decode("utf-8", "replace"), value)


def _urlencoded(body: bytes) -> dict[str, bytes]:
    try:
        pairs = parse_qsl(
            body.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise AnomalousPayloadError("the form cannot be read") from error
    fields: dict[str, bytes] = {}
    for name, value in pairs:
        fields.setdefault(name, value.encode("latin-1", "replace"))
    return fields
