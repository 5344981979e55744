"""Markup that readers would see broken. It is refused when a text is saved, with its line and what to do about it.

The parser (`rendering/markdown.py`) refuses what no output could show. This refuses what it would show, but wrongly: tags as they
were typed, half a table, a heading that breaks the page's outline, and a link that leads nowhere.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.urls import Resolver404, resolve

from factsheets.models import FactSheet, FormerAddress, Layer, Question, Section, SectionKind, Source
from factsheets.rendering.markdown import CITATION, unread

# Whole, or begun and not closed.
TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:(?:\s[^<>\n]*)?/?>)?|<!--")
CODED = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]*|#\d+|#[xX][0-9A-Fa-f]+);")
STRUCK = "~~"
# What a button above a text adds at its end. With script it goes in at the cursor, or around the words that are chosen.
# The words in it are for the author to replace.
STRONG, LINES, STEPS, HEADED, CELL = (
    "strong words",
    ("one line", "another line"),
    ("first step", "second step"),
    "Small heading",
    "words",
)
SIGNS = {
    "Strong": f" **{STRONG}**",
    "List": "\n\n- {}\n- {}".format(*LINES),
    "Numbered list": "\n\n1. {}\n2. {}".format(*STEPS),
    "Small heading": f"\n\n### {HEADED}\n\n",
    "Table": f"\n\n| Sign | What to do |\n| --- | --- |\n| {CELL} | {CELL} |",
}
FILLER = re.compile(
    rf"\*\*({STRONG})\*\*|^\s*(?:- |\d\. )({'|'.join([*LINES, *STEPS])})\s*$|^#+ ({HEADED})\s*$|\|\s*({CELL})\s*\|"
)
TICK_BOX = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\](?:\s|$)")
LINK_APART = re.compile(r"\[[^\]\n]+\]\s+\((?:/|#|https?:|mailto:|tel:)")
COMMENT = "<!--"
AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^<>\s]+>")
HEADING = re.compile(r" {0,3}(#{1,6})(\s|$)")
CROWDED_HEADING = re.compile(r" {0,3}#{1,6}[^\s#]")
HEADING_IN_LIST = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+#{1,6}\s")
UNDERLINED = re.compile(r" {0,3}(=+|-{2,})\s*$")
TABLE_LINE = re.compile(r"\s*\|.*\||.*\|\s*:?-{2,}")
# [words](/address/ "title"), and the second half of a link that is written in two places: [1]: /address/
LINK = re.compile(r"(?<!!)\[(?P<words>[^\]\n]*)\](?:\(|:\s+)(?P<to><[^>\n]*>|[^)\s]*)")
# What is a sign in a text with signs, and shown as it was typed in a plain one: a star before a footnote is none.
UNPAIRED = "**"
WITHOUT_ADDRESS = re.compile(r"\[[^\[\]@]+\]\[[^\[\]@]*\]")
TYPED_SIGNS = re.compile(
    r"\*\*|~~|`|\*(?=\S)[^*\n]*(?<=\S)\*|(?<!\w)_(?=\S)[^_\n]*(?<=\S)_(?!\w)|^ {0,3}#{1,6}\s|^\s*[-*+]\s", re.MULTILINE
)
BRACKETS = re.compile(r"!?\[[^\]\n]*\]\s*[(\[]|\[@[^\]\n]*\]|<(?:https?:|mailto:)[^<>\s]*>?")
SMALL, SMALLER = 3, 4  # levels of the headings that a folded text may have
# Places that every sheet's page has, beside its sections (templates/factsheets/sheet.html).
ON_EVERY_SHEET = {
    *(
        "in-short",
        "audience",
        "key-points",
        "care-all",
        "more",
        "words",
        "sources",
        "changes",
        "review",
        "keep",
        "useful",
    ),
    *("related", "our-interest"),
}
OF_A_LIST = re.compile(r"(?:source|word|term|cite)-[a-z0-9-]+\Z")
STAFF_ONLY = ("/admin/", "/staff/")


def refusals(
    body: str, *, sheet: FactSheet | None = None, kind: str = SectionKind.TEXT, layer: str = Layer.MORE, own=()
) -> list[str]:
    """What to change in a text before it may be saved. `own` are addresses that its own section has, or will have.

    A text without a `sheet` is shown by several, such as a statement's: it may not link to a place on its own page.
    """
    return broken(body, sheet=sheet, kind=kind, layer=layer, own=own) + _unfindable(body)


def broken(
    body: str, *, sheet: FactSheet | None = None, kind: str = SectionKind.TEXT, layer: str = Layer.MORE, own=()
) -> list[str]:
    """As `refusals`, without the sources that a text cites: those stop a sheet's publication in words of their own."""
    found: dict[str, int] = {}  # each problem once, with the first line that has it
    before = ""
    for number, line in enumerate(body.splitlines(), start=1):
        for problem in _line(line, before, kind, layer):
            found.setdefault(problem, number)
        for match in LINK.finditer(line):
            if problem := dead_end(match["to"].strip("<>"), sheet=sheet, own=own):
                found.setdefault(f"the link “{match['words'] or match['to']}” {problem}", number)
        before = line
    for number, words, is_link in unread(body):
        for problem in _left_as_typed(words, is_link):
            found.setdefault(problem, number)
    return [f"Line {number}: {problem}" for problem, number in found.items()]


def broken_in(sheet: FactSheet, sections) -> Iterator[tuple[str, str]]:
    """What readers of a sheet would see broken, each with its place, however the text came into it: typed, imported or put back.

    `sections` are its own, with their statements at hand. Costs two queries, and one for each link to a sheet.
    """
    for name in ("in_short", "key_points"):
        for problem in broken(getattr(sheet, name), sheet=sheet):
            yield FactSheet._meta.get_field(name).verbose_name, problem
    yield from _plain(sheet)
    for related in sheet.related.all():
        yield from _plain(related, "related pages")
    for use in sheet.source_uses.select_related("source"):
        yield from _plain(use, f"what “{use.source}” found")
    for section in sections:
        yield from _plain(section, str(section))
        for problem in broken(section.body, sheet=sheet, kind=section.kind, layer=section.layer):
            yield str(section), problem
        for statement in section.evidence:
            yield from _plain(statement, f"{section}, “{statement}”")
            for problem in broken(statement.detail):
                yield f"{section}, “{statement}”", problem


def _plain(record, place: str = "") -> Iterator[tuple[str, str]]:
    for name in record.plain_texts:
        for problem in plain_faults(getattr(record, name)):
            yield place or record._meta.get_field(name).verbose_name, problem


def plain_faults(text: str) -> list[str]:
    """What to change in a text that readers see as it was typed, such as a title or what a hard word means."""
    found = [
        *(f"“{each}” is HTML. Take it out." for each in [*TAG.findall(AUTOLINK.sub("", text)), *CODED.findall(text)]),
        *(f"“{each}” makes no link here. Write the words alone." for each in BRACKETS.findall(text)),
        *(f"Take out the signs in “{each.strip()}”." for each in TYPED_SIGNS.findall(text)),
    ]
    return [f"Readers see this text as it was typed. {each}" for each in [" ".join(dict.fromkeys(found))] if each]


def _line(line: str, before: str, kind: str, layer: str) -> Iterator[str]:
    for tag in TAG.findall(AUTOLINK.sub("", line)):
        shown = "a comment" if tag == COMMENT else f"“{tag}”"
        yield (
            f"{shown} is HTML, and readers would see it as it was typed. Take it out. "
            "For strong words, a list or a link, press the button above the text."
        )
    for code in CODED.findall(line):
        yield f"“{code}” is HTML. Type the sign itself, or a space."
    if STRUCK in line:
        yield "readers would see the signs ~~ as they were typed. Take out what no longer holds."
    if filler := FILLER.search(line):
        yield f"“{filler[filler.lastindex]}” is what the button wrote. Put your own words in its place, or take it out."
    if TICK_BOX.match(line):
        yield "a list has no boxes to tick here, and readers would see “[ ]”. Take the brackets out."
    if LINK_APART.search(line):
        yield "a link needs its address right after its words: take out the space between ] and (."
    if heading := HEADING.match(line):
        if layer == Layer.LEAFLET:
            yield (
                "a heading inside a text breaks the leaflet’s outline. Put what follows into a section of its own, "
                "with this as its heading."
            )
        elif len(heading[1]) not in {SMALL, SMALLER}:
            yield f"{heading[1]} makes too large a heading. Take it out, and press the button “Small heading” above the text."
    elif CROWDED_HEADING.match(line):
        yield "a heading needs a space after its signs, such as “### What helps”. The button “Small heading” writes it so."
    elif HEADING_IN_LIST.match(line):
        yield "a list cannot hold a heading. Take its signs out, and make the words strong with the button “Strong”."
    elif UNDERLINED.match(line) and before.strip() and "|" not in before:
        yield "a line of signs below words makes them a heading of the page. Take it out. For a heading, press “Small heading”."
    if kind != SectionKind.TABLE and TABLE_LINE.match(line):
        yield (
            "a table inside a text does not fit on a phone. Put it into a section of the kind “table”, "
            "which becomes a list of rows there."
        )


def _left_as_typed(words: str, is_link: bool) -> Iterator[str]:
    if is_link:
        if not words.strip():
            yield "a link has no words, and nobody can press it. Take it out, and write one with “Link to a page”."
        return
    if UNPAIRED in words:
        yield (
            "readers would see the signs ** as they were typed: one pair is not closed, or has a space inside. Take them out, "
            "and make the words strong with the button “Strong”."
        )
    for link in WITHOUT_ADDRESS.findall(words):
        yield f"“{link}” has no address, and readers would see its brackets. Take them out, and press “Link to a page”."


def _unfindable(body: str) -> list[str]:
    """Sources that the text cites and no reader could look up."""
    keys = {key.strip(" @") for match in CITATION.finditer(body) for key in match[1].split(";")}
    known = {source.key: source for source in Source.objects.filter(key__in=keys)}
    return [
        *(
            f"No source has the short name {key}. Take it out, and find the source by its title with “Cite a source”."
            for key in sorted(keys - set(known))
        ),
        *(
            f"The source “{known[key]}” has no link: readers could not look it up. "
            "Add its DOI, PubMed number, web address or ISBN first."
            for key in sorted(known)
            if not (known[key].address or known[key].isbn)
        ),
    ]


def dead_end(to: str, *, sheet: FactSheet | None = None, own=()) -> str:
    """Why a link leads nowhere, as the end of a sentence. Empty when it leads somewhere. Nothing is asked of the internet."""
    if to.startswith("mailto:"):
        return "" if re.fullmatch(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+", to) else "needs an email address after mailto:."
    if to.startswith("tel:"):
        return "" if re.fullmatch(r"tel:\+?[\d-]{3,}", to) else "needs a number after tel:, in digits."
    try:
        parts = urlsplit(to)
    except ValueError:
        return "is not an address."
    if parts.scheme or parts.netloc:
        if parts.scheme != "https":
            return "must start with https:// or with /."
        return "" if re.fullmatch(r"[^\s@]+\.[A-Za-z]{2,}(?::\d+)?", parts.netloc) else "is not a web address."
    if not parts.path:
        return _no_place(sheet, parts.fragment, own)
    if not parts.path.startswith("/"):
        return "must start with https:// or with /."
    return _no_page(unquote(parts.path), parts.fragment, sheet, own)


def _no_page(path: str, fragment: str, sheet: FactSheet | None, own) -> str:
    try:
        match = resolve(path if path.endswith("/") or "." in path.rpartition("/")[2] else f"{path}/")
    except Resolver404:
        return f"leads nowhere: no page of ours has the address {path}."
    if path.startswith(STAFF_ONLY):
        return "leads to the staff desk, which readers cannot open."
    if match.namespace != "factsheets" or "slug" not in match.kwargs or match.url_name == "glossary":
        return ""
    slug = match.kwargs["slug"]
    # A draft will be at the address of the sheet that it replaces.
    is_own = sheet is not None and slug == (sheet.draft_of or sheet).slug
    there = sheet if is_own else FactSheet.objects.filter(slug=slug).only("pk", "state").first()
    if there is None:
        return "" if FormerAddress.objects.filter(slug=slug).exists() else f"leads nowhere: no sheet is called {slug}."
    if there is not sheet and not there.is_published:
        return f"leads to a sheet that readers cannot open: it is {there.get_state_display()}."
    page = match.kwargs.get("page", "whole")  # one of the pages in which sheets were once read: now a place
    own = own if there is sheet else ()
    return _no_place(there, "" if page == "whole" else page, own) or _no_place(there, fragment, own)


def _no_place(sheet: FactSheet | None, fragment: str, own) -> str:
    if not fragment and sheet is not None:
        return ""
    if sheet is None:
        return "needs the whole address, such as /fact-sheets/about-back-pain/#try: several sheets show this text."
    if fragment in ON_EVERY_SHEET or OF_A_LIST.match(fragment) or fragment in own:
        return ""
    places = set()
    for slug, former, question in Section.objects.filter(sheet=sheet).values_list("slug", "former_slugs", "question"):
        places |= {slug, question, *former}
    if fragment in places:
        return ""
    if fragment in Question.values:
        return f"leads nowhere: the sheet does not answer “{Question(fragment).label}”."
    return f"leads nowhere: no section of the sheet has the address #{fragment}."
