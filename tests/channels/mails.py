"""Mails crafted for the tests, written out as they would stand on the wire."""

import base64
import struct

OURS = "support@lumen.example"
OWN_ID = "<out_0195a1b2c3d4e5f60718293a4b5c6d7e@lumen.example>"


def mail(body: str = "Hi", *headers: str, sender: str = "a@b.example") -> bytes:
    """A plain mail with these headers on top."""
    lines = [*headers, f"From: {sender}", f"To: {OURS}", "Message-ID: <1@b.example>", "", body]
    return "\r\n".join(lines).replace("\n", "\r\n").replace("\r\r", "\r").encode()


def parts(kind: str, *sections: str, headers: str = "") -> bytes:
    """A mail of several parts; each section is its headers, an empty line and its content."""
    head = (
        f"{headers}From: Ana <a@b.example>\nTo: {OURS}\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/{kind}; boundary=EDGE\n\n"
    )
    body = "".join(f"--EDGE\n{section}\n" for section in sections)
    return f"{head}{body}--EDGE--\n".replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def calendar(answer: str, comment: str = "", method: str = "REPLY") -> str:
    """A calendar part as clients send it."""
    said = f"COMMENT:{comment}\n" if comment else ""
    return (
        f"Content-Type: text/calendar; charset=utf-8; method={method}\n\n"
        f"BEGIN:VCALENDAR\nMETHOD:{method}\nBEGIN:VEVENT\nUID:ord_1@lumen.example\n"
        f'ATTENDEE;CN="Ana Ruiz";PARTSTAT={answer};ROLE=REQ-PARTICIPANT;CUTYPE=INDIVID\n UAL:mailto:a@b.example\n'
        f"{said}SUMMARY:Onboarding\\, part 1\nDTSTART:20260304T120000Z\nEND:VEVENT\nEND:VCALENDAR"
    )


# ---------------------------------------------------------------- winmail.dat


def _attribute(level: int, name: int, value: bytes) -> bytes:
    checksum = sum(value) % 65_536
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", checksum)


def _text(tag: int, text: str) -> bytes:
    value = text.encode("utf-16-le") + b"\x00\x00"
    padded = value + b"\x00" * (-len(value) % 4)
    return struct.pack("<HHII", 0x001F, tag, 1, len(value)) + padded


def winmail(text: str, files: dict[str, bytes]) -> bytes:
    """A winmail.dat with a plain text and files."""
    number = struct.pack("<HHI", 0x0003, 0x0E07, 1)  # PidTagMessageFlags, before the text
    named = struct.pack("<HH16sIII", 0x0003, 0x8001, b"G" * 16, 0, 7, 1)
    found = struct.pack("<I", 3) + number + named + _text(0x1000, text)
    data = struct.pack("<IH", 0x223E9F78, 1)
    data += _attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    data += _attribute(1, 0x00069003, found)
    for name, content in files.items():
        data += _attribute(2, 0x00069002, b"\x01\x00" + b"\x00" * 12)
        data += _attribute(2, 0x0006800F, content)
        data += _attribute(2, 0x00018010, b"SHORT~1.DAT\x00")
        data += _attribute(2, 0x00069005, struct.pack("<I", 1) + _text(0x3707, name))
    return data


def winmail_part(data: bytes) -> str:
    """The part a server forwards it in."""
    encoded = base64.encodebytes(data).decode()
    return (
        'Content-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="winmail.dat"\n\n{encoded}'
    )
