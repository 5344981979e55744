"""What of a sheet can be found: its pieces with their place on the page, and how strongly each piece's words speak for it."""

from dataclasses import dataclass

from factsheets.models import Tradition
from factsheets.rendering.document import DEFAULT_HEADINGS


@dataclass
class Passage:
    """A piece that can be linked to and quoted.

    `strong` words sum the piece up. `own_heading` is not another piece's. `spellings` are not offered as “did you mean”.
    """

    anchor: str = ""
    heading: str = ""
    text: str = ""
    strong: str = ""
    own_heading: str = ""
    traditional: bool = False
    spellings: str = ""


def of_document(document: dict) -> list[Passage]:
    """The passages of a sheet's document, in the order of the page. The first is what the sheet is about."""
    summary, audience = document.get("summary", ""), document.get("audience", "")
    short = words_of((document.get("in_short") or {}).get("content", []))
    points = " ".join(sentence(words_of(point["content"])) for point in document.get("key_points", []))
    found = [
        Passage(text=join([summary, short, audience]), strong=summary),
        Passage(anchor="key-points", heading="Key points", text=points, strong=points),
    ]
    chapters = {slug: each["heading"] for each in document.get("chapters", []) for slug in each["sections"]}
    for section in document.get("sections", []):
        found += _of_section(section, chapters.get(section["slug"], ""))
    return found


def _of_section(section: dict, chapter: str) -> list[Passage]:
    traditional = section["view"] == Tradition.TRADITIONAL
    own = section["heading"] if section["heading"] not in DEFAULT_HEADINGS.values() else ""
    heading, strong, texts = own or chapter, "", [plain(section["blocks"])]
    if figure := section.get("figure"):
        own = heading = figure["title"]
        texts = [figure["alt"], figure["long_description"]]
    if section.get("numbers"):
        texts = [f"{each['count']} in {each['base']}: {words_of(each['content'])}" for each in section["numbers"]]
    found = [Passage(section["slug"], heading, join(texts), strong, own, traditional)]
    for statement in section.get("evidence", []):
        # One by one, so that no quotation shows a benefit without what stands beside it.
        texts = [statement["claim"], plain(statement["blocks"]), statement["nice_position"]]
        found.append(
            Passage(section["slug"], section["heading"], join(texts), statement["claim"], traditional=traditional)
        )
    return [each for each in found if each.text or each.own_heading]


def plain(blocks: list[dict]) -> str:
    """The words of blocks in one line, without citation numbers and link addresses."""
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
    """With a full stop, so that two list items are not read as one sentence."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?:;" else f"{text}."
