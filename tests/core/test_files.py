"""Which files are kept: by what their bytes are, under names that harm nobody."""

import io
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files import MAX_BYTES, MAX_NAME, REASONS, judge, kind_of, safe_name

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return made.getvalue()


WORD = archive("[Content_Types].xml", "word/document.xml")

KEPT = [
    ("shot.png", "image/png", PNG, "image/png"),
    ("photo.JPG", "image/jpeg", JPEG, "image/jpeg"),
    ("photo.jpg", "image/jpg", JPEG, "image/jpeg"),
    ("anim.gif", "image/gif", b"GIF89a" + b"\0" * 9, "image/gif"),
    ("p.webp", "image/webp", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ("IMG_1.HEIC", "image/heic", b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
    # phones name a HEIC .jpg: another picture is no deceit
    ("IMG_2.jpg", "image/jpeg", b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
    ("invoice.pdf", "application/pdf", PDF, "application/pdf"),
    ("invoice.pdf", "application/octet-stream", PDF, "application/pdf"),
    ("a.docx", DOCX, WORD, DOCX),
    ("logs.zip", "application/zip", archive("a.log", "b.txt"), "application/zip"),
    ("old.xls", "application/vnd.ms-excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "application/msword"),
    ("rows.csv", "text/csv", b"a,b\n1,2\n", "text/csv"),
    ("rows.csv", "application/vnd.ms-excel", b"a,b\n1,2\n", "text/csv"),
    ("server.log", "text/plain", "zażółć 12:00".encode(), "text/plain"),
    ("x.json", "application/json", b'{"a": 1}', "application/json"),
    ("invite.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n", "text/calendar"),
    ("voice.amr", "audio/amr", b"#!AMR\n\0\0", "audio/amr"),
    ("voice.ogg", "audio/ogg; codecs=opus", b"OggS\0\2", "audio/ogg"),
    ("clip.mp4", "video/mp4", b"\0\0\0\x20ftypisom\0\0", "video/mp4"),
    ("clip.3gp", "video/3gpp", b"\0\0\0\x20ftyp3gp4\0\0", "video/3gpp"),
    ("", "image/png", PNG, "image/png"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "data", "kind"), KEPT)
def test_what_is_kept(name: str, said: str, data: bytes, kind: str) -> None:
    found = judge(name, said, data)
    assert (found.refused, found.content_type) == ("", kind)
    assert "." in found.name


@pytest.mark.parametrize(
    ("name", "said", "data", "reason"),
    [
        ("a.exe", "application/x-msdownload", b"MZ\x90\0", "not_allowed"),
        ("photo.png", "image/png", b"MZ\x90\0" + b"\0" * 9, "not_allowed"),
        ("photo.png", "image/png", b"\x7fELF\x02", "not_allowed"),
        ("page.html", "text/html", b"<html><script>x</script>", "not_allowed"),
        ("note.txt", "text/plain", b"\xef\xbb\xbf  <!DOCTYPE html><p>", "not_allowed"),
        ("logo.svg", "image/svg+xml", b'<svg xmlns="x" onload="alert(1)"/>', "not_allowed"),
        ("logo.png", "image/png", b'<?xml version="1.0"?><svg onload="x"/>', "not_allowed"),
        ("run.txt", "text/plain", b"#!/bin/sh\nrm -rf /", "not_allowed"),
        ("run.sh", "text/plain", b"echo hi", "not_allowed"),
        ("invoice.pdf.exe", "application/pdf", PDF, "not_allowed"),
        ("invoice\u202efdp.exe", "application/pdf", PDF, "not_allowed"),
        ("a.docm", DOCX, WORD, "not_allowed"),
        ("a.docx", DOCX, archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "not_allowed"),
        ("a.zip", "application/zip", archive("a.txt", "deep/run.EXE"), "not_allowed"),
        ("broken.zip", "application/zip", b"PK\x03\x04 nothing", "not_allowed"),
        ("polyglot.pdf", "application/pdf", b"<script>x</script>%PDF-1.4", "not_allowed"),
        ("nothing.txt", "text/plain", b"", "not_allowed"),
        ("photo.png", "image/png", PDF, "not_what_it_says"),
        ("invoice.pdf", "application/pdf", PNG, "not_what_it_says"),
        ("invoice.pdf", "image/png", PNG, "not_what_it_says"),
        ("report.pdf", "application/pdf", b"just words", "not_what_it_says"),
        ("a.docx", DOCX, PNG, "not_what_it_says"),
        ("big.png", "image/png", PNG + b"\0" * MAX_BYTES, "too_large"),
    ],
)  # fmt: skip
def test_what_is_not(name: str, said: str, data: bytes, reason: str) -> None:
    assert judge(name, said, data).refused == reason


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ann\\plan.pdf", "plan.pdf"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\x00b\x1f.png", "ab.png"),
        ("  .hidden  ", "hidden"),
        ('we"ird<name>|?*.csv', "we ird name .csv"),
        ("CON.txt", "file-CON.txt"),
        ("...", "file"),
        ("", "file"),
        ("factura año 2025.pdf", "factura año 2025.pdf"),
        ("e\u0301.png", "é.png"),
        ("x" * 300 + ".png", "x" * (MAX_NAME - 4) + ".png"),
    ],
)
def test_names_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_nameless_file_gets_the_ending_of_its_kind() -> None:
    assert safe_name("", "image/png") == "file.png"
    assert safe_name("MMS media", "image/jpeg") == "MMS media.jpg"


@given(st.text(max_size=400), st.text(max_size=60))
def test_any_name_becomes_a_name(name: str, kind: str) -> None:
    safe = safe_name(name, kind)
    assert 0 < len(safe) <= MAX_NAME
    assert not set(safe) & set('/\\<>:"|?*\x00\n\r')
    assert not [c for c in safe if unicodedata.category(c).startswith("C")]
    assert safe_name(safe, kind) == safe


@given(st.text(max_size=40), st.text(max_size=40), st.binary(max_size=300))
def test_no_bytes_make_the_judge_fail(name: str, kind: str, data: bytes) -> None:
    assert judge(name, kind, data).refused in ("", *REASONS)


@pytest.mark.parametrize(
    "mark", [b"PK\x03\x04", b"PK\x05\x06", b"\0\0\0\x18ftyp", b"RIFF", b"%PDF-"]
)
def test_a_head_alone_is_no_fault(mark: bytes) -> None:
    for end in range(len(mark) + 1):
        kind_of(mark[:end])
