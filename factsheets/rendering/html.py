"""Turns blocks into clean HTML when a sheet is saved, not when it is read."""

import re
from collections.abc import Iterable
from itertools import groupby

import nh3
from django.utils.html import escape

from factsheets.rendering.markdown import plain

TAGS = {"p", "h3", "h4", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th", "td"} | {
    "strong",
    "em",
    "a",
    "br",
    "sup",
    "span",
}
ATTRIBUTES = {
    "a": {"href", "id", "aria-label", "aria-describedby", "class"},
    "th": {"scope"},
    "td": {"data-label"},
    "span": {"lang"},
}
# The text is already escaped as it is written. This is a second guard, in case a later change forgets.
clean = nh3.Cleaner(tags=TAGS, attributes=ATTRIBUTES, url_schemes={"https", "mailto", "tel"}, link_rel=None).clean


# Chinese in Latin letters, which a screen reader would read as English. Qi, yin and yang are English words too.
PINYIN = re.compile(r"\b(?:de qi|tuina)\b", re.IGNORECASE)


def render(blocks: list[dict], *, caption: str = "") -> str:
    return clean("".join(block(each, caption) for each in blocks))


def render_inline(content: list[dict]) -> str:
    return clean(inline(content))


def block(node: dict, caption: str = "") -> str:
    match node["type"]:
        case "paragraph":
            return f"<p>{inline(node['content'])}</p>"
        case "heading":
            return f"<h{node['level']}>{inline(node['content'])}</h{node['level']}>"
        case "list":
            tag = "ol" if node["ordered"] else "ul"
            return f"<{tag}>{''.join(f'<li>{item(each)}</li>' for each in node['items'])}</{tag}>"
        case "table":
            return table(node, caption)
    raise ValueError(node["type"])


def item(blocks: list[dict]) -> str:
    """A list item: a lone paragraph needs no <p>."""
    if len(blocks) == 1 and blocks[0]["type"] == "paragraph":
        return inline(blocks[0]["content"])
    return "".join(map(block, blocks))


def table(node: dict, caption: str) -> str:
    """On a phone each row becomes a short list in which every cell repeats the name of its column (site.css)."""
    header = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in node["header"])
    names = [escape(plain(cell)) for cell in node["header"]]
    rows = "".join(
        f'<tr><th scope="row">{inline(row[0])}</th>{"".join(map(cell, names[1:], row[1:]))}</tr>'
        for row in node["rows"]
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"


def cell(name: str, content: list[dict]) -> str:
    return f'<td data-label="{name}">{inline(content)}</td>'


def inline(content: list[dict]) -> str:
    runs = groupby(content, key=lambda node: node["type"] == "cite")
    return "".join(cites(nodes) if are_cites else "".join(one(node) for node in nodes) for are_cites, nodes in runs)


def one(node: dict) -> str:
    match node["type"]:
        case "text":
            return pinyin(escape(node["text"]))
        case "strong":
            return f"<strong>{inline(node['content'])}</strong>"
        case "emphasis":
            return f"<em>{inline(node['content'])}</em>"
        case "link":
            return f'<a href="{escape(node["href"])}">{inline(node["content"])}</a>'
        case "break":
            return "<br>"
        case "term":
            return term(node)
    raise ValueError(node["type"])


def pinyin(text: str) -> str:
    """Escaped text, with the language of its Chinese words (WCAG 3.1.2)."""
    return PINYIN.sub(r'<span lang="zh-Latn">\g<0></span>', text)


def cites(nodes: Iterable[dict]) -> str:
    """“ [1, 2]” as real characters, so that copied text and screen readers have them too."""
    return f"\u00a0<sup>[{', '.join(map(cite, nodes))}]</sup>"


def cite(node: dict) -> str:
    number = node["number"]
    place = f' id="{node["id"]}"' if "id" in node else ""
    return f'<a{place} href="#source-{number}" aria-label="Source {number}">{number}</a>'


def term(node: dict) -> str:
    """A hard word at its first use: a link to its entry in “Words explained”, whose heading describes it to screen readers."""
    slug = node["slug"]
    return (
        f'<a class="term" id="term-{slug}" href="#word-{slug}" aria-describedby="explained">'
        f"{inline(node['content'])}</a>"
    )


__all__ = ["render", "render_inline"]
