"""A page of paper as the bytes of a PDF: one font, a few lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence

#: A4 in points, and where the text begins.
_WIDTH, _HEIGHT = 595, 842
_LEFT, _TOP = 72, 742


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """Return one page that shows ``title`` and ``lines``; what Latin-1 lacks becomes ``?``."""
    content = _page_content(title, lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>" % (_WIDTH, _HEIGHT),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, len(written))
    )  # fmt: skip


def _page_content(title: str, lines: Sequence[str]) -> bytes:
    shown = [b"BT /F1 24 Tf %d %d Td (%s) Tj" % (_LEFT, _TOP, _text(title)), b"/F1 13 Tf"]
    shown += [b"0 -32 Td (%s) Tj" % _text(line) for line in lines]
    return b"\n".join([*shown, b"ET"])


def _text(words: str) -> bytes:
    """Return a text as it stands between brackets."""
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return escaped.encode("latin-1", "replace")
