"""Office files: a zip of XML, opened with bounds.

Owns the limits against zip bombs and hostile XML, and the sentence for a protected file. Knows no
kind of document.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, XMLParser

MAX_UNPACKED = 300_000_000  # bytes of all members
MAX_MEMBER = 100_000_000
MAX_MEMBERS = 20_000
MAX_RATIO = 200  # unpacked to packed, of members that are worth it
_WORTH = 1_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how Office wraps a file under a password
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Archive:
    """The members of an Office file."""

    def __init__(self, data: bytes) -> None:
        """Open it. Raises ValueError for a protected, broken or exploding file."""
        if data.startswith(_OLE):
            raise ValueError("protected by a password, or of an Office version before 2007")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ValueError("a broken Office file") from error
        self._names = frozenset(self._zip.namelist())
        self._refuse_bombs()

    def _refuse_bombs(self) -> None:
        members = self._zip.infolist()
        sizes = [member.file_size for member in members]
        if (
            len(members) > MAX_MEMBERS
            or sum(sizes) > MAX_UNPACKED
            or max(sizes, default=0) > MAX_MEMBER
        ):
            raise ValueError("unpacks to more than is sensible")
        for member in members:
            if member.file_size > max(_WORTH, MAX_RATIO * member.compress_size):
                raise ValueError("unpacks to more than is sensible")
            if member.flag_bits & 1:
                raise ValueError("protected by a password")

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def xml(self, name: str) -> Element:
        """Return a member's tree. Raises ValueError when it is missing, broken or declares entities."""
        try:
            data = self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(f"a broken Office file: {name} cannot be read") from error
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("XML with entities of its own is refused")
        parser = XMLParser()  # noqa: S314 - no DOCTYPE gets here, so nothing can expand
        try:
            parser.feed(data)
            return parser.close()
        except ParseError as error:
            raise ValueError(f"a broken Office file: {name} is not XML") from error

    def related(self, name: str) -> Mapping[str, str]:
        """Return relationship id → member that `name` points to; outside targets are left out."""
        folder, base = posixpath.split(name)
        rels = f"{folder}/_rels/{base}.rels"
        if rels not in self:
            return {}
        return {
            each.get("Id", ""): posixpath.normpath(
                posixpath.join(folder, each.get("Target", ""))
            ).removeprefix("/")
            for each in self.xml(rels).iter(_RELATION)
            if each.get("TargetMode") != "External"
        }


def local(element: Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def attribute(element: Element | None, name: str) -> str | None:
    """Return an attribute by its name without namespace."""
    if element is None:
        return None
    return next((v for key, v in element.attrib.items() if key.rpartition("}")[2] == name), None)


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first descendant down a path of tags without namespaces."""
    for name in path:
        if element is None:
            return None
        element = next((each for each in element if local(each) == name), None)
    return element
