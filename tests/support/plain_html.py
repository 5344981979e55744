"""A fast parser for HTML in which no tag is left out and nothing needs repair, like most of our pages.

html5lib, which knows every repair that a browser makes, takes four times as long. If a page needs one, or holds anything not listed
here, `read_plain` returns None and html5lib parses it. tests/config/test_site.py compares the two.
"""

import re
from html.entities import html5
from xml.etree.ElementTree import Element, TreeBuilder

from html5lib.constants import adjustForeignAttributes, adjustSVGAttributes


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


SVG = "{http://www.w3.org/2000/svg}"
DRAWING = _names("svg g path circle ellipse line polygon polyline rect defs symbol use text tspan")
VOID = _names("area base br col embed hr img input link meta source track wbr")
PHRASING = _names(
    "a abbr b bdi bdo br button cite code data datalist dfn em i img input ins del kbd label map mark"
    " meter output picture"
    " progress q s samp select small source span strong sub sup textarea time u var wbr script"
)
OTHERS = _names(
    "address article aside blockquote caption col colgroup dd details dialog div dl dt fieldset figcaption figure"
    " footer form"
    " h1 h2 h3 h4 h5 h6 header hgroup hr legend li link main menu meta nav ol optgroup option p pre search section style summary"
    " table tbody td tfoot th thead tr ul"
)
HEAD = {"base", "link", "meta", "script", "style", "title"}
# Elements that appear only here, and those that hold only these.
PARENTS = {
    "li": {"ul", "ol", "menu"},
    "option": {"select", "optgroup", "datalist"},
    "optgroup": {"select"},
    "td": {"tr"},
    "th": {"tr"},
    "tr": {"tbody", "thead", "tfoot"},
    "col": {"colgroup"},
    **{part: {"table"} for part in ("caption", "colgroup", "thead", "tbody", "tfoot")},
}
HOLDS = {
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot"},
    "colgroup": {"col"},
    **{part: {"tr"} for part in ("thead", "tbody", "tfoot")},
    "tr": {"td", "th"},
    "select": {"option", "optgroup"},
    "optgroup": {"option"},
    "option": set(),
}
TABLES = {"table", "colgroup", "thead", "tbody", "tfoot", "tr"}
# A browser closes the outer one of two of these, or counts how many are open.
NOT_IN_ITSELF = _names("a b big button code em font form i s small strong u")
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
RAW = {"script", "style", "textarea", "title"}  # up to their end: of the last two character references are read

ATTRIBUTE = re.compile(r"""\s+([a-zA-Z][\w:.-]*)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""", re.ASCII)
PIECE = re.compile(
    r"([^<]+)"
    rf"|<([a-z][a-z0-9]*)((?:{ATTRIBUTE.pattern})*)\s*(/?)>"
    r"|</([a-z][a-z0-9]*)>"
    r"|<!--(?!-?>)((?:[^-]|-(?!-))*)-->",
    re.ASCII,
)
NOT_CHARACTERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff\U0001fffe-\U0010ffff]"
)
REFERENCE = re.compile(r"&([^&;\s]*;?)")
START = re.compile(r"[\t\n ]*<!doctype html>[\t\n ]*", re.IGNORECASE)


class NotPlainError(Exception):
    """Markup that only html5lib can parse."""


def read_plain(page: str) -> Element | None:
    """The document, exactly as html5lib would return it without an error, or None."""
    page = page.replace("\r\n", "\n").replace("\r", "\n")
    start = START.match(page)
    if not start or NOT_CHARACTERS.search(page):
        return None
    try:
        return _Reader(page, start.end()).document
    except NotPlainError:
        return None


def _unless(holds: object) -> None:
    if not holds:
        raise NotPlainError


def _character(reference: re.Match) -> str:
    name = reference[1]
    if name.startswith("#"):
        number = name[1:-1]
        _unless(re.fullmatch(r"[0-9]{1,7}|x[0-9a-fA-F]{1,6}", number) and name.endswith(";"))
        character = chr(int(number[1:], 16) if number[0] == "x" else int(number))
        _unless(character in "\t\n" or not NOT_CHARACTERS.match(character))
        return character
    _unless(name.endswith(";") and name in html5)
    return html5[name]


def _words(raw: str) -> str:
    return REFERENCE.sub(_character, raw) if "&" in raw else raw


class _Reader:
    def __init__(self, page: str, at: int):
        self.page, self.tree, self.open = page, TreeBuilder(insert_comments=True), []
        self.stage = "html"  # what comes next; then "head", "in head", "body", "in body", "after body", "end"
        self.first = False  # whether the element that has just begun drops a line break before its words
        while at < len(page):
            piece = PIECE.match(page, at)
            _unless(piece)
            at = piece.end()
            text, name, attributes, closed, end, comment = piece[1], piece[2], piece[3], piece[8], piece[9], piece[10]
            if text is not None:
                self._text(text)
            elif name is not None:
                at = self._start(name, attributes, bool(closed), at)
            elif end is not None:
                self._end(end)
            else:
                _unless(self.stage in {"in head", "in body"})
                self.tree.comment(comment)
            self.first = name == "pre"
        _unless(self.stage == "end")
        self.tree.end("body")
        self.tree.end("html")
        self.document = self.tree.close()

    def _text(self, raw: str) -> None:
        if self.stage == "in body":
            _unless(not (self.open and self.open[-1] in TABLES) or not raw.strip("\t\n\f "))
            words = _words(raw)
            self.tree.data(words[1:] if self.first and words.startswith("\n") else words)
        else:
            _unless(not raw.strip("\t\n "))
            if self.stage not in {"html", "head"}:  # ignored before the head
                self.tree.data(raw)

    def _start(self, name: str, raw: str, closed: bool, at: int) -> int:
        if name in {"html", "head", "body"}:
            _unless(self.stage == name and not closed)
            self.tree.start(name, self._attributes(raw))
            self.stage = {"html": "head", "head": "in head", "body": "in body"}[name]
            return at
        if self.stage == "in head":
            _unless(name in HEAD)
        else:
            _unless(self.stage == "in body")
            if name == "svg" or (self.open and self.open[-1].startswith(SVG)):
                return self._start_drawing(name, raw, closed, at)
            self._allow(name)
        _unless(not closed or name in VOID)
        self.tree.start(name, self._attributes(raw))
        if name in VOID:
            self.tree.end(name)
        elif name in RAW:
            end = self.page.find(f"</{name}>", at)
            words = self.page[at:end]
            _unless(end >= 0 and f"</{name}" not in words.lower() and "<!--" not in words)
            if name in {"textarea", "title"}:
                words = _words(words)
            _unless("table" not in self.open or not words.startswith("\n"))  # html5lib keeps the line break here
            self.tree.data(words[1:] if name == "textarea" and words.startswith("\n") else words)
            self.tree.end(name)
            return end + len(f"</{name}>")
        else:
            self.open.append(name)
        return at

    def _allow(self, name: str) -> None:
        """Refuses a tag that would close, move or repair something."""
        above = self.open
        parent = above[-1] if above else "body"
        _unless(name in PHRASING or name in OTHERS)
        _unless("p" not in above or name in PHRASING)
        _unless(parent in PARENTS[name] if name in PARENTS else True)
        _unless(name in HOLDS[parent] if parent in HOLDS else True)
        _unless(name not in NOT_IN_ITSELF or name not in above)
        _unless(name not in HEADINGS or parent not in HEADINGS)
        if name in {"dt", "dd"}:
            _unless(parent == "dl" or (parent == "div" and above[-2:-1] == ["dl"]))

    def _start_drawing(self, name: str, raw: str, closed: bool, at: int) -> int:
        _unless(name in DRAWING)
        _unless(name != "svg" or not (self.open and (self.open[-1].startswith(SVG) or self.open[-1] in HOLDS)))
        self.tree.start(SVG + name, self._attributes(raw, drawing=True))
        if closed:
            self.tree.end(SVG + name)
        else:
            self.open.append(SVG + name)
        return at

    def _attributes(self, raw: str, *, drawing: bool = False) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, *values in ATTRIBUTE.findall(raw):
            if drawing:
                if name in adjustForeignAttributes:
                    _, local, space = adjustForeignAttributes[name]
                    name = f"{{{space}}}{local}"
                else:
                    _unless(":" not in name and adjustSVGAttributes.get(name.lower(), name.lower()) == name)
            else:
                _unless(name == name.lower())
            _unless(name not in found)
            found[name] = _words("".join(values))
        return found

    def _end(self, name: str) -> None:
        if name == "head":
            _unless(self.stage == "in head")
            self.tree.end("head")
            self.stage = "body"
        elif name == "body":
            _unless(self.stage == "in body" and not self.open)
            self.stage = "after body"  # it ends with the page, and takes in the spaces after it
        elif name == "html":
            _unless(self.stage == "after body")
            self.stage = "end"
        else:
            _unless(self.stage == "in body" and self.open and self.open[-1].removeprefix(SVG) == name)
            self.tree.end(self.open.pop())
