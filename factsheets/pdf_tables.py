"""Row headers in our PDFs' tables: a screen reader says "Surgery" before what surgery's row holds.

Typst tags the cells of a header row. Those of the first column it tags only behind a switch (`pdf.header-cell`, "a11y-extras") that
its Python library does not reach. So the finished file is changed: the first cell of each row in a table's body becomes the header
of that row (ISO 32000-1, table 349, Scope). Typst writes these objects uncompressed, each on a line, and a plain list of offsets.
"""

import re
from bisect import bisect_left
from itertools import chain

BODY = re.compile(rb"\n(\d+) 0 obj\n<</Type/StructElem/S/TBody/")
ROW = re.compile(rb"\n<</Type/StructElem/S/TR/P (\d+) 0 R/K\[(\d+) 0 R[ \]]")
CELL = re.compile(rb"\d+ 0 obj\n<</Type/StructElem/S/TD/[^\n]*?/A\[<</O/Table/")
OFFSETS = re.compile(rb"xref\n0 \d+\n((?:\d{10} \d{5} [nf][^\n]*\n)+)(trailer\n[^\n]*\nstartxref\n)(\d+)\n%%EOF\s*\Z")
SCOPE = b"Scope/Row/"


def with_row_headers(pdf: bytes) -> bytes:
    """The same file, where the first cell of each row names the row. Raises ValueError for a file that is not as Typst makes it."""
    bodies = set(BODY.findall(pdf))
    first = [int(cell) for body, cell in ROW.findall(pdf) if body in bodies]
    if not first:
        return pdf
    if not (end := OFFSETS.search(pdf)):
        raise ValueError("The PDF has no plain list of offsets.")
    entries = end[1].splitlines(keepends=True)
    cells = [CELL.match(pdf, int(entries[cell][:10])) for cell in first]
    if not all(cells):
        raise ValueError("A row of a table in the PDF begins with something else than a cell.")
    places = sorted(cell.end() for cell in cells)
    pieces = [pdf[start:stop] for start, stop in zip([0, *places], [*places, end.start()], strict=True)]
    # The last /S/TD/ of each piece but the last is that of its cell.
    named = [b"/S/TH/".join(piece.rsplit(b"/S/TD/", 1)) + SCOPE for piece in pieces[:-1]]

    def moved(offset: int) -> int:
        return offset + len(SCOPE) * bisect_left(places, offset)

    listed = [b"%010d" % moved(int(each[:10])) + each[10:] if each[17:18] == b"n" else each for each in entries]
    head = pdf[end.start() : end.start(1)]
    return b"".join(chain(named, pieces[-1:], [head], listed, [end[2], b"%d\n%%%%EOF\n" % moved(int(end[3]))]))
