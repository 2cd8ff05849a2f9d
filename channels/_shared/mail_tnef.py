"""Outlook's winmail.dat: the text and the files some servers wrap up in it (MS-OXTNEF, MS-OXCDATA).

Owns reading it within bounds: lengths are checked before anything is copied, nothing is believed, and what is cut off
ends the reading, not the mail. Not here: compressed RTF (a mail has plain text or HTML beside it).
"""

import struct
from dataclasses import dataclass, field

MAX_FILES = 20
_SIGNATURE = 0x223E9F78
_MAX_ATTRIBUTES = 2_000
_MAX_PROPERTIES = 2_000
# attributes: the low half is the name, the high half the type (MS-OXTNEF 2.1.3.2)
_TITLE, _DATA, _FILE_PROPERTIES = 0x00018010, 0x0006800F, 0x00069005
# MAPI properties: PidTagBody, PidTagHtml, PidTagAttachLongFilename, PidTagAttachDataBinary
_PLAIN, _HTML, _LONG_NAME, _BINARY = 0x1000, 0x1013, 0x3707, 0x3701
_FIXED = {0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4,
          0x0014: 8, 0x0040: 8, 0x0048: 16}  # fmt: skip
_TEXT8, _TEXT16, _BYTES, _OBJECT = 0x001E, 0x001F, 0x0102, 0x000D


@dataclass(slots=True)
class RichFile:
    """A file within. `name` as written, not yet safe."""

    name: str = ""
    data: bytes = b""


@dataclass(slots=True)
class Rich:
    """What was wrapped up: plain text, HTML, files."""

    text: str = ""
    html: str = ""
    files: list[RichFile] = field(default_factory=list)
    charset: str = "cp1252"


def is_tnef(content_type: str, name: str) -> bool:
    """Return whether a part says that it is a winmail.dat."""
    return content_type.lower() in (
        "application/ms-tnef",
        "application/vnd.ms-tnef",
    ) or name.lower() in ("winmail.dat", "win.dat")


def read_tnef(data: bytes) -> Rich:
    """Return what can be read; an empty Rich when it is none. Never raises."""
    rich = Rich()
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return rich
    at = 6
    for _ in range(_MAX_ATTRIBUTES):
        if at + 11 > len(data):  # level, id, length, checksum
            break
        _, name, length = struct.unpack_from("<BII", data, at)
        at += 9
        if length > len(data) - at:
            break
        _take(rich, name, data[at : at + length])
        at += length + 2
    rich.files = [file for file in rich.files if file.data]
    return rich


def _take(rich: Rich, name: int, value: bytes) -> None:
    match name:
        case 0x00069002:  # attAttachRenddata: here begins a file
            if len(rich.files) < MAX_FILES:
                rich.files.append(RichFile())
        case 0x00069007 if len(value) >= 4:  # attOemCodepage
            rich.charset = f"cp{struct.unpack_from('<I', value)[0]}"
        case 0x0002800C:  # attBody
            rich.text = rich.text or _decoded(value, rich.charset)
        case 0x00069003:  # attMsgProps
            _take_text(rich, value)
        case _ if rich.files:
            _take_file(rich, name, value)
        case _:
            return


def _take_text(rich: Rich, value: bytes) -> None:
    for tag, found in _properties(value, rich.charset):
        if tag == _PLAIN and isinstance(found, str):
            rich.text = found or rich.text
        elif tag == _HTML:
            rich.html = found if isinstance(found, str) else _decoded(found, rich.charset)


def _take_file(rich: Rich, name: int, value: bytes) -> None:
    file = rich.files[-1]
    if name == _TITLE:
        file.name = file.name or _decoded(value, rich.charset)
    elif name == _DATA:
        file.data = value
    elif name == _FILE_PROPERTIES:
        for tag, found in _properties(value, rich.charset):
            if tag == _LONG_NAME and isinstance(found, str):
                file.name = found or file.name
            elif tag == _BINARY and isinstance(found, bytes):
                file.data = file.data or found


def _decoded(value: bytes, charset: str) -> str:
    try:
        text = value.decode(charset, "replace")
    except LookupError:
        text = value.decode("cp1252", "replace")
    return text.split("\x00", 1)[0]


def _properties(data: bytes, charset: str) -> list[tuple[int, str | bytes]]:
    """Return the texts and bytes in a list of MAPI properties (MS-OXTNEF 2.1.3.4); it ends where it breaks."""
    found: list[tuple[int, str | bytes]] = []
    try:
        count = min(struct.unpack_from("<I", data)[0], _MAX_PROPERTIES)
        at = 4
        for _ in range(count):
            kind, tag = struct.unpack_from("<HH", data, at)
            at += 4
            if tag >= 0x8000:
                at = _past_name(data, at)
            is_many, base = bool(kind & 0x1000), kind & 0x0FFF
            if base in _FIXED:
                number = struct.unpack_from("<I", data, at)[0] if is_many else 1
                at += (4 if is_many else 0) + number * _FIXED[base]
                continue
            if base not in (_TEXT8, _TEXT16, _BYTES, _OBJECT):
                break
            number = struct.unpack_from("<I", data, at)[0]
            at += 4
            for _ in range(min(number, _MAX_PROPERTIES)):
                length = struct.unpack_from("<I", data, at)[0]
                value = data[at + 4 : at + 4 + length]
                at += 4 + length + -length % 4
                if at > len(data) + 3:
                    return found
                found.append((tag, _value(value, base, charset)))
    except struct.error:
        pass
    return found


def _past_name(data: bytes, at: int) -> int:
    """Return where a named property's name ends."""
    kind = struct.unpack_from("<I", data, at + 16)[0]
    if kind == 0:
        return at + 24
    length: int = struct.unpack_from("<I", data, at + 20)[0]
    return at + 24 + length + -length % 4


def _value(value: bytes, kind: int, charset: str) -> str | bytes:
    if kind == _TEXT16:
        return value.decode("utf-16-le", "replace").split("\x00", 1)[0]
    if kind == _TEXT8:
        return _decoded(value, charset)
    return value[16:] if kind == _OBJECT else value
