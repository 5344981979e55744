"""What search can find: passages of sheets, glossary terms and pages, with their places and the questions they answer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from factsheets.models import SectionKind, Tradition
from factsheets.rendering.document import DEFAULT_HEADINGS
from factsheets.search.text import plain as plain_letters

WRITTEN = re.compile(r"[^\W_]+")
SHEET, PAGE, TERM = "fact sheet", "page", "glossary"


@dataclass
class Passage:
    """A piece of text that can be linked to and quoted.

    `strong` words sum the piece up. `own_heading` is not another piece's, so that it counts. `verdict` is that of a statement.
    """

    anchor: str = ""
    heading: str = ""
    text: str = ""
    strong: str = ""
    own_heading: str = ""
    traditional: bool = False
    verdict: str = ""
    question: str = ""  # the code of its question in the leaflet


@dataclass
class Entry:
    """One thing that can be found. `addresses` gives, for each place on its page, the number of the passage there."""

    key: str
    kind: str
    title: str
    address: str
    names: list[str]  # the title, and what else it is called
    passages: list[Passage]
    addresses: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # the headings of the leaflet's questions, by their code
    questions: dict[int, list[str]] = field(
        default_factory=dict
    )  # number of a passage → what people ask that it answers

    @cached_property
    def own_words(self) -> frozenset[str]:
        """All its words, as they are written."""
        texts = [*self.names, *(asked for many in self.questions.values() for asked in many)]
        texts += [f"{passage.heading} {passage.text} {passage.strong}" for passage in self.passages]
        return frozenset(WRITTEN.findall(plain_letters(" ".join(texts))))


def of_sheet(slug: str, title: str, document: dict) -> Entry:
    """A sheet's passages in page order. The first says what the sheet is about."""
    summary, audience = document.get("summary", ""), document.get("audience", "")
    short = words_of((document.get("in_short") or {}).get("content", []))
    points = " ".join(sentence(words_of(point["content"])) for point in document.get("key_points", []))
    first = Passage(text=short or f"{summary} {audience}", strong=f"{summary} {audience}")
    entry = Entry(f"sheet:{slug}", SHEET, title, f"/fact-sheets/{slug}/", [title], [first], {"": 0, "key-points": 1})
    entry.passages.append(Passage("key-points", "Key points", points, strong=points))
    chapters = {section: each for each in document.get("chapters", []) for section in each["sections"]}
    for section in document.get("sections", []):
        chapter = chapters.get(section["slug"], {"slug": "", "heading": ""})
        made = list(_of_section(section, chapter["heading"]))
        number = len(entry.passages)
        for address in (section["slug"], *section.get("also", ())):
            entry.addresses[address] = number if made else 0
        if made and (code := section.get("question")) and section["kind"] != SectionKind.FIGURE:
            entry.addresses.setdefault(code, number)
            entry.labels[code] = chapter["heading"]
        entry.passages += made
    return entry


def _of_section(section: dict, chapter: str) -> Iterable[Passage]:
    own = section["heading"] if section["heading"] not in DEFAULT_HEADINGS.values() else ""
    texts, strong = [], ""
    if figure := section.get("figure"):
        own = figure["title"]
        texts = [figure["alt"], figure["long_description"]]
    common = {
        "anchor": section["slug"],
        "traditional": section["view"] == Tradition.TRADITIONAL,
        "question": section.get("question", ""),
    }
    if section.get("numbers"):
        texts = [f"{each['count']} in {each['base']}: {words_of(each['content'])}" for each in section["numbers"]]
        blocks = []
    else:
        blocks = section["blocks"]
    for number, (heading, part) in enumerate(_by_headings(blocks)):
        own_heading = heading or (own if number == 0 else "")
        text = join([plain(part), *(texts if number == 0 else [])])
        if text or own_heading:
            shown = heading or own or chapter
            yield Passage(heading=shown, text=text, strong=strong, own_heading=own_heading, **common)
    for statement in section.get("evidence", []):
        # Each separately, so that no quotation shows a benefit without what must accompany it.
        text = join([statement["claim"], plain(statement["blocks"]), statement["nice_position"]])
        verdict = f"{statement['claim']}: {statement['verdict'][:1].lower()}{statement['verdict'][1:]}"
        yield Passage(heading=own or chapter, text=text, strong=statement["claim"], verdict=f"{verdict}.", **common)


def _by_headings(blocks: list[dict]) -> Iterable[tuple[str, list[dict]]]:
    """The blocks below each heading in a section. Those before the first have no heading."""
    heading, part = "", []
    for block in blocks:
        if block["type"] == "heading":
            yield heading, part
            heading, part = words_of(block["content"]), []
        else:
            part.append(block)
    yield heading, part


def plain(blocks: list[dict]) -> str:
    """The words of blocks on one line, without citation numbers and link addresses."""
    parts = []
    for block in blocks:
        match block["type"]:
            case "list":
                parts += [plain(item) for item in block["items"]]
            case "table":
                parts += ["; ".join(words_of(cell) for cell in row) for row in block["rows"]]
            case _:
                parts.append(words_of(block["content"]))
    return join(parts)


def words_of(content: list[dict]) -> str:
    parts = []
    for node in content:
        match node["type"]:
            case "text":
                parts.append(node["text"])
            case "break":
                parts.append(" ")
            case "cite":
                pass
            case _:
                parts.append(words_of(node["content"]))
    return " ".join("".join(parts).split())


def join(texts: list[str]) -> str:
    return " ".join(sentence(text) for text in texts if text.strip())


def sentence(text: str) -> str:
    """With a capital letter and a full stop, so that two list items do not look like one sentence."""
    text = " ".join(text.split())
    text = f"{text[:1].upper()}{text[1:]}"
    return text if not text or text[-1] in ".!?:;" else f"{text}."
