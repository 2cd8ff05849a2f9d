import io
import stat
import zipfile
from pathlib import Path

import pytest

from core.errors import BadInputError
from ingest.origins import Found, IngestSettings, Listing, Options, Request
from ingest.sources import upload
from ingest.sources.upload import SOURCE, safe_name

pytestmark = pytest.mark.allow_blocking
"""The tests themselves write files and zips."""


def zipped(**members: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


async def sent(folder: Path, limit: int = 1_000_000, **options: object) -> dict[str, Found]:
    request = Request(
        str(folder), Options(**options), IngestSettings(upload_bytes=limit), Listing(), {}, folder  # type: ignore[arg-type] # a test's own
    )  # fmt: skip
    return {each.path: each async for each in SOURCE.files(request)}


async def test_files_and_zips_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A")
    (tmp_path / "x.exe").write_text("x")
    (tmp_path / "docs.zip").write_bytes(
        zipped(**{
            "docs/b.md": b"# B", "docs\\c.md": b"# C", "__MACOSX/b.md": b"x", ".git/d.md": b"x",
            "docs/inner.zip": zipped(**{"e.md": b"# E"}), "docs/f.bin": b"x",
        })
    )  # fmt: skip
    found = await sent(tmp_path, url="https://x.test/{stem}")
    assert {path: each.data for path, each in found.items()} == {
        "a.md": b"# A", "x.exe": None, "docs/b.md": b"# B", "docs/c.md": b"# C",
    }  # fmt: skip
    assert found["x.exe"].refused == "unknown kind of file '.exe'"
    assert found["docs/b.md"].url == "https://x.test/docs/b"


async def test_names_that_lead_outside_links_and_secrets(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../evil.md", "x")
        archive.writestr("/etc/evil.md", "x")
        archive.writestr("C:/evil.md", "x")
        link = zipfile.ZipInfo("link.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.md", "x")
    data = bytearray(out.getvalue())
    (tmp_path / "docs.zip").write_bytes(bytes(data))
    found = await sent(tmp_path)
    assert {path: each.refused for path, each in found.items()} == {
        "../../evil.md": "leads outside the folder",
        "/etc/evil.md": "leads outside the folder",
        "C:/evil.md": "leads outside the folder",
        "link.md": "is a link",
        "good.md": None,
    }


async def test_a_member_with_a_password(tmp_path: Path) -> None:
    data = bytearray(zipped(**{"a.md": "x"}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of the central directory
    (tmp_path / "docs.zip").write_bytes(bytes(data))
    assert (await sent(tmp_path))["a.md"].refused == "is protected by a password"


async def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = zipped(**{f"{n}.md": b"\0" * 3_000_000 for n in range(5)})
    assert len(bomb) < 50_000
    (tmp_path / "docs.zip").write_bytes(bomb)
    found = await sent(tmp_path, limit=7_000_000)
    assert [each.refused for each in found.values()] == [
        None, None, "the upload unpacks to too much", "the upload unpacks to too much",
        "the upload unpacks to too much",
    ]  # fmt: skip
    assert sum(len(each.data or b"") for each in found.values()) <= 7_000_000


async def test_a_size_that_lies_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "size_limit", lambda _path: 100)
    (tmp_path / "docs.zip").write_bytes(zipped(**{"a.md": b"x" * 5_000}))
    assert (await sent(tmp_path))["a.md"].refused == "larger than 100 bytes"


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"no zip at all", zipped(**{"a.md": "x"})[:-10]],
    ids=["empty", "magic", "text", "cut"],  # a zip holds its time: as a name it would differ
)
async def test_what_is_no_zip_is_said_and_the_rest_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.md").write_text("# B")
    found = await sent(tmp_path)
    assert (found["a.zip"].refused or "").startswith("is no zip")
    assert found["b.md"].data == b"# B"


@pytest.mark.parametrize("name", ["", "/", "..", "a/../b", "a\x00b", "a\nb", "x" * 500, "\\\\h\\x"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|outside"):
        safe_name(name)


@pytest.mark.parametrize(("name", "safe"), [("a.md", "a.md"), ("./a//b.md", "a/b.md")])
def test_names_that_stay(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_an_upload_has_no_location() -> None:
    assert SOURCE.check("", IngestSettings()) == ""
    with pytest.raises(BadInputError):
        SOURCE.check("/etc", IngestSettings())
