"""A sheet as the pages it is read on. A short sheet is one page; a long one has several, each complete in itself.

Every page has the sources that it cites, under the numbers they have in the whole sheet, and the hard words that it uses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from factsheets.models import FactSheet

# What a link in an author's text leads to on our site: a place on this sheet, or on another.
INNER_LINK = re.compile(r'href="(?:/fact-sheets/([-\w]+)/)?#([-\w]+)"')
WHOLE = "whole"


@dataclass(frozen=True)
class Page:
    """What a reader gets at one address. `slug` is empty for the first page, and “whole” for all of them on one."""

    slug: str
    title: str
    path: str
    number: int  # from 1; 0 for the whole
    sections: list[dict]
    key_points: list[dict]
    words: list[dict]
    references: list[dict]

    @property
    def is_first(self) -> bool:
        return self.number <= 1

    @property
    def chapters(self) -> list[dict]:
        return chapters(self.sections)


def pages(sheet: FactSheet) -> list[Page]:
    """The pages of a sheet in their order: one, or several."""
    listed = sheet.document.get("pages") or [{"slug": "", "title": sheet.title}]
    return [_page(sheet, number=number, **each) for number, each in enumerate(listed, start=1)]


def whole(sheet: FactSheet) -> Page:
    """All pages on one."""
    document = sheet.document
    return Page(
        slug=WHOLE,
        title="All on one page",
        path=sheet.page_url(WHOLE),
        number=0,
        sections=document.get("sections", []),
        key_points=document.get("key_points", []),
        words=[{**word, "place": f"term-{word['slug']}"} for word in document.get("words", [])],
        references=document.get("references", []),
    )


def _page(sheet: FactSheet, *, slug: str, title: str, number: int) -> Page:
    document = sheet.document
    sections = [each for each in document.get("sections", []) if each.get("page", "") == slug]
    key_points = document.get("key_points", []) if number == 1 else []
    marks = list(_marks([key_points, sections]))
    here = {mark["id"] for mark in marks if mark["type"] == "cite"}
    numbers = {mark["number"] for mark in marks if mark["type"] == "cite"}
    numbers |= {
        source["number"] for each in sections for said in each.get("evidence", []) for source in said["sources"]
    }
    return Page(
        slug=slug,
        title=title,
        path=sheet.page_url(slug),
        number=number,
        sections=sections,
        key_points=key_points,
        words=_words(document, [mark for mark in marks if mark["type"] == "term"]),
        references=[
            {**each, "places": [place for place in each["places"] if place in here]}
            for each in document.get("references", [])
            if each["number"] in numbers
        ],
    )


def _marks(part) -> Iterator[dict]:
    """The citations and the marked words, in the order of reading."""
    if isinstance(part, dict):
        if part.get("type") in {"cite", "term"}:
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _marks(each)


def _words(document: dict, marks: list[dict]) -> list[dict]:
    """The words of the list that are marked here, each with the place of the mark and as it is spelt here."""
    there = {mark["slug"]: mark for mark in marks}
    found = []
    for word in document.get("words", []):
        if mark := there.get(word["slug"]):
            place = mark.get("id", f"term-{word['slug']}")
            found.append({**word, "word": mark.get("word", word["word"]), "place": place})
    return sorted(found, key=lambda word: word["word"].lower())


def chapters(sections: list[dict]) -> list[dict]:
    """The sections grouped under the heading they belong to, in order."""
    grouped: list[dict] = []
    for section in sections:
        if section["starts_chapter"] or not grouped:
            grouped.append(
                {
                    "slug": section["slug"],
                    "heading": section["heading"],
                    "view": section["view"],
                    "sections": [],
                }
            )
        grouped[-1]["sections"].append(section)
    return grouped


def lead_right(page: Page, sheet: FactSheet) -> Page:
    """The same page, with each link of the authors to a section leading to the page that holds it now."""
    parts = [page.key_points, page.sections]
    links = {link for text in _html(parts) for link in INNER_LINK.findall(text)}
    if not links:
        return page
    named = FactSheet.objects.filter(slug__in=[slug for slug, _ in links if slug]).only("slug", "document")
    sheets = {each.slug: each for each in named} | {"": sheet}
    elsewhere = {each["slug"] for each in sheet.document["sections"]} - {each["slug"] for each in page.sections}

    def there(match: re.Match) -> str:
        slug, anchor = match[1] or "", match[2]
        # A place on the page itself, or on a sheet that is not there.
        if slug not in sheets or (not slug and anchor not in elsewhere):
            return match[0]
        return f'href="{sheets[slug].place_url(anchor)}"'

    def mended(part):
        if isinstance(part, dict):
            return {key: INNER_LINK.sub(there, each) if key == "html" else mended(each) for key, each in part.items()}
        return [mended(each) for each in part] if isinstance(part, list) else part

    return replace(page, key_points=mended(page.key_points), sections=mended(page.sections))


def _html(part) -> Iterator[str]:
    if isinstance(part, dict):
        if "html" in part:
            yield part["html"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _html(each)
