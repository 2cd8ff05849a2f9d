"""What goes out as more than text: content templates, buttons made of one, files by their address. Pure.

Sources: Twilio's pages "Content types", "twilio/quick-reply" (three buttons without approval, 1024 characters above
them), "Using variables with content templates" and WhatsApp's limit of 20 characters for a button.
Not here: when a template is due (channels/whatsapp.py), sending.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from channels._shared.split import units
from channels._shared.twilio_sending import Part, public_link, text_part
from channels._shared.twilio_whatsapp import SAID
from core.contracts import Capabilities
from core.messages import Attachment, QuickReply, Template

_TITLE, _BODY, _ID = 20, 1024, 256  # characters of a button, of the text above, of what comes back
_UNFIT = re.compile(r"[\n\r\t]| {4}")  # what a variable may not hold


def template_part(sid: str, template: Template | None) -> Part:
    """Return a template filled in; line breaks and runs of spaces, refused in a variable, become a space."""
    given = template.variables if template else {}
    values = {name: " ".join(value.split()) for name, value in given.items()}
    fields: dict[str, Any] = {"content_sid": sid}
    if values:
        fields["content_variables"] = json.dumps(values, ensure_ascii=False)
    return Part(fields)


def button_values(body: str, choices: Sequence[QuickReply]) -> Mapping[str, str] | None:
    """Return the variables of `buttons_content` for a text with choices, or None where it does not fit."""
    titles = [choice.label for choice in choices]
    ids = [f"{SAID}{choice.value}" for choice in choices]
    fits = (
        0 < units(body) <= _BODY
        and all(0 < units(title) <= _TITLE for title in titles)
        and all(units(each) <= _ID for each in ids)
        and len(set(titles)) == len(titles)
        and not any(_UNFIT.search(value) for value in (body, *titles, *ids))
    )
    return {str(n): value for n, value in enumerate((body, *titles, *ids), 1)} if fits else None


def buttons_content(count: int) -> Mapping[str, Any]:
    """Return the content for so many buttons: variable 1 is the text, then come the titles, then the ids."""
    actions = [
        {"type": "QUICK_REPLY", "title": f"{{{{{2 + n}}}}}", "id": f"{{{{{2 + count + n}}}}}"}
        for n in range(count)
    ]
    samples = ["?", *(f"{n + 1}" for n in range(count)), *(f"{SAID}{n + 1}" for n in range(count))]
    return {
        "friendly_name": f"usher_buttons_{count}",
        "language": "en",
        "variables": {str(n): sample for n, sample in enumerate(samples, 1)},
        "types": {"twilio/quick-reply": {"body": "{{1}}", "actions": actions}},
    }


def buttons_part(content: str, values: Mapping[str, str]) -> Part:
    """Return a text with buttons."""
    variables = json.dumps(dict(values), ensure_ascii=False)
    return Part({"content_sid": content, "content_variables": variables}, (values["1"],))


def media_parts(files: Sequence[Attachment], public_url: str, can: Capabilities) -> list[Part]:
    """Return a message per file; one that is no medium of the channel, or has no medium's size, goes as a link."""
    parts = []
    for file in files:
        link = public_link(file, public_url)
        if link is None:
            continue
        linked = text_part(f"{file.name}: {link}")
        is_medium = file.size <= can.media_bytes and _is_among(file.content_type, can.media)
        medium = Part({"media_url": [link]}, ("",), media=1, instead=linked)
        parts.append(medium if is_medium else linked)
    return parts


def _is_among(content_type: str, kinds: Sequence[str]) -> bool:
    plain = content_type.partition(";")[0].strip().lower()
    return any(
        plain == kind or (kind.endswith("*") and plain.startswith(kind[:-1])) for kind in kinds
    )
