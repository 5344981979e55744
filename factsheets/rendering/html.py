"""Blocks as clean HTML, made when a sheet is saved and not when it is read."""

from functools import partial

import nh3
from django.utils.html import escape

TAGS = {"p", "h3", "h4", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th", "td"} | {
    "strong",
    "em",
    "a",
    "br",
    "sup",
    "span",
    "div",
}
ATTRIBUTES = {
    "a": {"href", "id", "aria-label", "aria-describedby", "class"},
    "th": {"scope"},
    "table": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
}
# The text is escaped as it is written; this is the second door, in case a later change forgets.
clean = partial(nh3.clean, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"https", "mailto", "tel"}, link_rel=None)


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
    header = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in node["header"])
    rows = "".join(
        f'<tr><th scope="row">{inline(row[0])}</th>{"".join(f"<td>{inline(cell)}</td>" for cell in row[1:])}</tr>'
        for row in node["rows"]
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    # Wider than a phone, a table scrolls inside its own box, reachable by keyboard.
    label = escape(caption or "Table")
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{label}">'
        f"<table>{title}<thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def inline(content: list[dict]) -> str:
    parts = []
    for node in content:
        match node["type"]:
            case "text":
                parts.append(escape(node["text"]))
            case "strong":
                parts.append(f"<strong>{inline(node['content'])}</strong>")
            case "emphasis":
                parts.append(f"<em>{inline(node['content'])}</em>")
            case "link":
                parts.append(f'<a href="{escape(node["href"])}">{inline(node["content"])}</a>')
            case "break":
                parts.append("<br>")
            case "cite":
                parts.append(cite(node))
            case "term":
                parts.append(term(node))
            case other:
                raise ValueError(other)
    return "".join(parts)


def cite(node: dict) -> str:
    number = node["number"]
    return f'<sup><a id="{node["id"]}" href="#source-{number}" aria-label="Source {number}">{number}</a></sup>'


def term(node: dict) -> str:
    """A hard word at its first use: it leads to its entry in “Words explained”, whose heading describes the link by ear."""
    slug = node["slug"]
    return (
        f'<a class="term" id="{node.get("id", f"term-{slug}")}" href="#word-{slug}" aria-describedby="words">'
        f"{inline(node['content'])}</a>"
    )


__all__ = ["render", "render_inline"]
