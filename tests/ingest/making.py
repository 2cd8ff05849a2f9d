"""Files for the tests, made here: PDF and Office files by hand, as small as they can be."""

import io
import zipfile
from collections.abc import Mapping, Sequence

FONTS = {"F": "Helvetica", "B": "Helvetica-Bold"}


def text_at(
    x: float, y: float, text: str, size: float = 11, font: str = "F", ink: str = "0 g"
) -> str:
    """Return the PDF operators that draw a line of text; `ink` is set before it."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"q {ink} BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET Q"


def make_pdf(pages: Sequence[Sequence[str]], *, title: str = "", protected: bool = False) -> bytes:
    """Return a PDF of pages of operators, A4."""
    fonts = " ".join(
        f"/{name} << /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding >>"
        for name, base in FONTS.items()
    )
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: f"<< /Title ({title}) >>".encode("latin-1"),
    }
    for n, operators in enumerate(pages):
        body = "\n".join(operators).encode("cp1252")
        objects[10 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {11 + 2 * n} 0 R"
            f" /Resources << /Font << {fonts} >> >> >>"
        ).encode()
        objects[11 + 2 * n] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)
    lock = f"<< /Filter /Standard /V 1 /R 2 /O <{'11' * 32}> /U <{'22' * 32}> /P -4 >>"
    out, places = io.BytesIO(b"%PDF-1.4\n"), {}
    out.seek(0, io.SEEK_END)
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    encrypt = f"/Encrypt {lock} /ID [<00> <00>]" if protected else ""
    trailer = f"trailer << /Size {max(places) + 1} /Root 1 0 R /Info 3 0 R {encrypt} >>"
    out.write(f"{trailer}\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def make_zip(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of files by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
