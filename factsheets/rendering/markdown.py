"""Parses authors' Markdown into plain blocks, from which all four outputs are made.

A block is a dictionary: paragraph, heading, list or table. Its words are a list of inline dictionaries: text, strong,
emphasis, link, break, and cite (a source key, numbered later). No HTML is accepted.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

CITATION = re.compile(r"\s*\[((?:@[A-Z0-9-]+)(?:\s*;\s*@[A-Z0-9-]+)*)\]")
NUMBER_ITEM = re.compile(r"^(\d{1,3}) in (10|100):\s*")
SAFE_LINK = re.compile(r"^(https://|/(?!/)|#|mailto:|tel:)")
# Control characters, surrogates and non-characters, which are pasted by accident and which HTML and PDF refuse.
NEVER_SHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
MAX_IN_SHORT = 50  # words
# Nobody can follow deeper lists by ear, and the parser silently drops very deep ones.
LISTS_IN_LISTS = 3

parser = MarkdownIt("commonmark", {"html": False}).enable("table")


class BodyError(ValueError):
    """The text cannot be shown as this kind of section. The message says what to change."""


def parse(body: str) -> list[dict]:
    """The blocks of a Markdown text. Raises BodyError for anything that no output could show."""
    return [block for node in _tree(body).children for block in _block(node)]


@lru_cache(maxsize=1024)  # a change to what sheets share is tried in the texts of all of them
def _tree(body: str) -> SyntaxTreeNode:
    """Parses once per save, because the form's checks, the sheet's document and the publishing rules all need the same text."""
    return SyntaxTreeNode(parser.parse(NEVER_SHOWN.sub("", body)))


def parse_body(kind: str, body: str) -> list[dict]:
    """The blocks of a section's text, checked for the shape that its kind needs. Raises BodyError."""
    blocks = parse(body)
    shape = [block["type"] + (" ordered" if block.get("ordered") else "") for block in blocks]
    while shape[:1] == ["paragraph"]:
        shape = shape[1:]
    if kind in {"try", "avoid"} and shape != ["list"]:
        raise BodyError("Write one list, with the button “List” above the text. A sentence may come before it.")
    if kind == "avoid":
        for item in _list_of(blocks)["items"]:
            if not plain(item).lower().startswith("do not "):
                raise BodyError("Start each line with “do not”, so that it makes sense when read alone.")
    if kind == "steps" and shape != ["list ordered"]:
        raise BodyError(
            "Write one list of steps, with the button “Numbered list” above the text. A sentence may come before it."
        )
    if kind == "table" and shape != ["table"]:
        raise BodyError("Write one table, with the button “Table” above the text. A sentence may come before it.")
    if kind == "numbers":
        numbers_of(blocks)
    if kind == "figure" and shape:
        raise BodyError("A figure's caption is plain sentences.")
    return blocks


def numbers_of(blocks: list[dict]) -> list[dict]:
    """The items “6 in 10: …” of a numbers section. Raises BodyError."""
    if [block["type"] for block in blocks] != ["list"]:
        raise BodyError(
            "Write one list, with the button “List” above the text, and lines such as “6 in 10: what happens to them”."
        )
    numbers = []
    for item in blocks[0]["items"]:
        content = item[0].get("content", []) if len(item) == 1 else []
        found = NUMBER_ITEM.match(content[0]["text"]) if content and content[0]["type"] == "text" else None
        if not found or int(found[1]) > int(found[2]):
            raise BodyError("Start each line with a count out of 10 or 100, such as “6 in 10: what happens to them”.")
        rest = [{"type": "text", "text": content[0]["text"][found.end() :]}, *content[1:]]
        numbers.append({"count": int(found[1]), "base": int(found[2]), "content": rest})
    return numbers


def key_points(text: str) -> list[list[dict]]:
    """The inline content of each key point; none for a sheet that has just been started.

    Raises BodyError unless it is one list of three lines without citations.
    """
    if not text.strip():
        return []
    blocks = parse(text)
    if [block["type"] for block in blocks] != ["list"] or len(blocks[0]["items"]) != 3:
        raise BodyError("Write three key points, each on a line of its own.")
    for item in blocks[0]["items"]:
        if [block["type"] for block in item] != ["paragraph"]:
            raise BodyError("Write each key point as one sentence or two, without a list or a heading in it.")
    if any(cited_in(blocks)):
        raise BodyError("Cite no sources in the key points. Cite them where the leaflet says the same.")
    return [item[0]["content"] for item in blocks[0]["items"]]


def in_short(text: str) -> list[dict]:
    """The inline content of “In short”, or empty. Raises BodyError unless it is one short paragraph without citations."""
    blocks = parse(text)
    if not blocks:
        return []
    if [block["type"] for block in blocks] != ["paragraph"]:
        raise BodyError("Write “In short” as one paragraph of two or three sentences.")
    if any(cited_in(blocks)):
        raise BodyError("Cite no sources in “In short”. Cite them where the leaflet says the same.")
    if (length := len(plain(blocks).split())) > MAX_IN_SHORT:
        raise BodyError(f"“In short” has {length} words. Write {MAX_IN_SHORT} at most.")
    return blocks[0]["content"]


def cited(body: str) -> set[str]:
    """The keys of the sources that a Markdown text cites. Raises BodyError."""
    return set(cited_in(parse(body)))


def links(body: str) -> set[str]:
    """Every address that a Markdown text links to."""
    return {str(node.attrs.get("href", "")) for node in _tree(body).walk() if node.type == "link"}


def unread(body: str) -> Iterator[tuple[int, str, bool]]:
    """Signs that the parser left as they were typed: the line's number in the text, its words, and whether they are a link's.

    A link's words are given once more, alone, so that one without any is found.
    """
    for block in _tree(body).walk():
        if block.type != "inline" or not block.map:
            continue
        number, words = block.map[0] + 1, ""
        for node in block.walk():
            if node.type in {"softbreak", "hardbreak"}:
                yield number, words, False
                number, words = number + 1, ""
            elif node.type == "text":
                words += node.content
            elif node.type == "link":
                yield number, "".join(each.content for each in node.walk() if each.type != "link"), True
        yield number, words, False


def cited_in(node):
    if isinstance(node, list):
        for part in node:
            yield from cited_in(part)
    elif node.get("type") == "cite":
        yield node["key"]
    else:
        for value in node.values():
            if isinstance(value, list):
                yield from cited_in(value)


def plain(node) -> str:
    """The words of a block, an inline, or a list of either, without citations."""
    if isinstance(node, list):
        parts = [plain(part) for part in node]
        blocks = node and all("type" in part and part["type"] in BLOCKS for part in node if isinstance(part, dict))
        return "\n".join(parts) if blocks else "".join(parts)
    kind = node["type"]
    if kind == "text":
        return node["text"]
    if kind == "break":
        return "\n"
    if kind == "cite":
        return ""
    if kind == "list":
        return "\n".join(plain(item) for item in node["items"])
    if kind == "table":
        return "\n".join(" | ".join(plain(cell) for cell in row) for row in [node["header"], *node["rows"]])
    return plain(node["content"])


BLOCKS = {"paragraph", "heading", "list", "table"}
# Put before each strong or emphasised word of a text as it is read: private characters, which nobody types.
STRONG, EMPHASIS = "\ue000", "\ue001"
_STYLES = {"strong": STRONG, "emphasis": EMPHASIS}


def as_read(body: str, named: Callable[[list[str]], str]) -> str:
    """A Markdown text as a reader sees it, without its signs; for comparing two states of it. Raises BodyError.

    A link is followed by where it leads, which may be what changed, and citations are what `named` makes of their keys.
    """
    blocks = parse(body.replace(STRONG, "").replace(EMPHASIS, ""))
    return "\n\n".join("\n".join(_lines_read(block, named)) for block in blocks)


def _lines_read(block: dict, named) -> Iterator[str]:
    if block["type"] == "list":
        for number, item in enumerate(block["items"], start=1):
            lines = [line for each in item for line in _lines_read(each, named)]
            mark = f"{number}. " if block["ordered"] else "• "
            yield from (f"{' ' * len(mark) if at else mark}{line}" for at, line in enumerate(lines))
    elif block["type"] == "table":
        for row in [block["header"], *block["rows"]]:
            yield " – ".join(_words_read(cell, named) for cell in row)
    elif block["type"] == "heading":
        yield _styled(_words_read(block["content"], named), STRONG)
    else:
        yield _words_read(block["content"], named)


def _words_read(content: list[dict], named) -> str:
    words = ""
    for kind, nodes in groupby(content, key=lambda node: node["type"]):
        if kind == "cite":
            words += f" {named([node['key'] for node in nodes])}"
            continue
        for node in nodes:
            said = node["text"] if kind == "text" else "\n" if kind == "break" else _words_read(node["content"], named)
            words += f"{said} (link to {node['href']})" if kind == "link" else _styled(said, _STYLES.get(kind, ""))
    return words


def _styled(words: str, style: str) -> str:
    return re.sub(r"\S+", lambda word: style + word[0], words) if style else words


def _list_of(blocks):
    return next(block for block in blocks if block["type"] == "list")


def _block(node, depth: int = 0):
    match node.type:
        case "paragraph":
            yield {"type": "paragraph", "content": _inline(node.children[0].children)}
        case "heading":
            # The page's own h1 and h2 come from the sheet and its chapters.
            level = max(3, min(4, int(node.tag[1])))
            yield {"type": "heading", "level": level, "content": _inline(node.children[0].children)}
        case "bullet_list" | "ordered_list":
            if depth == LISTS_IN_LISTS:
                raise BodyError(f"Nest lists at most {LISTS_IN_LISTS} deep.")
            items = [[block for child in item.children for block in _block(child, depth + 1)] for item in node.children]
            yield {"type": "list", "ordered": node.type == "ordered_list", "items": items}
        case "table":
            rows = [
                [_inline(cell.children[0].children) if cell.children else [] for cell in row.children]
                for part in node.children
                for row in part.children
            ]
            yield {"type": "table", "header": rows[0], "rows": rows[1:]}
        case "blockquote" | "hr" | "code_block" | "fence" | "html_block" | _:
            raise BodyError(
                "Use paragraphs, lists, small headings and tables only. A line that begins with “>” or with four spaces, "
                "and a line of signs alone, cannot be shown."
            )


def _inline(nodes) -> list[dict]:
    found = []
    for node in nodes:
        match node.type:
            case "text" | "code_inline" | "text_special" | "html_inline":
                found.append({"type": "text", "text": node.content})
            case "softbreak":
                found.append({"type": "text", "text": " "})
            case "hardbreak":
                found.append({"type": "break"})
            case "strong" | "em":
                name = "strong" if node.type == "strong" else "emphasis"
                found.append({"type": name, "content": _inline(node.children)})
            case "link":
                href = str(node.attrs.get("href", ""))
                if not SAFE_LINK.match(href):
                    raise BodyError(f"The link {href} must start with https:// or /.")
                content = _inline(node.children)
                if any(cited_in(content)):
                    raise BodyError("Put the citation after the link, not in its words: a link cannot hold another.")
                found.append({"type": "link", "href": href, "content": content})
            case _:
                raise BodyError("Pictures belong in a figure section, not in the text.")
    made = []
    for inline in _joined(found):
        made += _with_citations(inline["text"]) if inline["type"] == "text" else [inline]
    made = _named_once(made)
    if any(inline["type"] == "text" and "[@" in inline["text"] for inline in made):
        raise BodyError(
            "A source is cited with signs that are not right: “[@” must be followed by its short name and “]”, as in [@NG59]. "
            "Take them out, and find the source by its title with “Cite a source”."
        )
    return made


def _with_citations(text: str):
    at = 0
    for match in CITATION.finditer(text):
        if match.start() > at:
            yield {"type": "text", "text": text[at : match.start()]}
        for key in re.findall(r"@([A-Z0-9-]+)", match[1]):
            yield {"type": "cite", "key": key}
        at = match.end()
    if at < len(text):
        yield {"type": "text", "text": text[at:]}


def _named_once(inlines: list[dict]) -> list[dict]:
    """Drops sources that neighbouring citations already name, because “[1, 1]” says no more than “[1]”."""
    kept: list[dict] = []
    beside: set[str] = set()
    for inline in inlines:
        if inline["type"] != "cite":
            beside.clear()
        elif inline["key"] in beside:
            continue
        else:
            beside.add(inline["key"])
        kept.append(inline)
    return kept


def _joined(inlines: list[dict]) -> list[dict]:
    """Joins neighbouring texts, so that a citation that the parser has split is still found whole."""
    joined: list[dict] = []
    for inline in inlines:
        if inline["type"] == "text" and joined and joined[-1]["type"] == "text":
            joined[-1]["text"] += inline["text"]
        else:
            joined.append(dict(inline))
    return joined
