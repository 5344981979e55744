"""A sheet as plain text, for a screen reader, a braille display, or an email that must not be wide."""

import textwrap
from datetime import date
from itertools import groupby

from django.conf import settings
from django.urls import reverse

from backcare.core.clinic import details
from factsheets.models import FactSheet, Layer
from factsheets.rendering.sheet import full
from factsheets.safety import compact

WIDTH = 72


def text(sheet: FactSheet) -> str:
    data = full(sheet)
    clinic = details()
    lines = [*_heading(data["title"], "="), "", *_wrap(data["audience"])]
    if data["state_note"]:
        lines += ["", *_wrap(data["state_note"])]
    emergency = data["safety"][0]
    all_signs = f"All the signs: 999, 111 and GP: {settings.BASE_URL}{reverse('factsheets:get_help_now')}"
    if short := (data["in_short"] or {}).get("content"):
        lines += ["", *_heading("In short", "-"), "", *_wrap(_words(short))]
    # As on the page, the short card is here, and all of the signs are behind a link (docs/decisions/0004).
    lines += ["", *_heading(emergency["heading"], "-"), ""]
    for sign in compact(data["safety"]):
        lines += _item("- ", sign)
    lines += ["", *_wrap(emergency["after"]), *_wrap(all_signs), "", *_heading("Key points", "-"), ""]
    for point in data["key_points"]:
        lines += _item("- ", _words(point["content"]))
    if figure := data["lead_figure"]:
        lines += ["", *_drawing(figure)]
    sections = {section["slug"]: section for section in data["sections"]}
    for layer, chapters in data["layers"].items():
        if layer == Layer.MORE and chapters:
            lines += ["", *_heading("For those who want more", "=")]
        for chapter in chapters:
            first = sections[chapter["sections"][0]]
            # A chapter that is not a question has the heading of its first section, which that section prints.
            if first["question"] or (chapter["heading"] and chapter["heading"] != first["heading"]):
                lines += ["", *_heading(chapter["heading"], "-")]
            for slug in chapter["sections"]:
                lines += ["", *_section(sections[slug])]
    lines += [
        "",
        *_wrap("Call 111 or your GP today for some signs, and see your GP soon for others."),
        *_wrap(all_signs),
    ]
    if data["treatment_offered"] and (clinic["interest_statement"] or data["prices"]):
        lines += ["", *_heading("What we sell", "-")]
        if clinic["interest_statement"]:
            lines += ["", *_wrap(clinic["interest_statement"])]
        if data["prices"]:
            lines += ["", *_wrap(f"What we charge: {'; '.join(data['prices'])}.")]
    if data["related"]:
        lines += ["", *_heading("Related pages", "-"), ""]
        for link in data["related"]:
            lines += [*_item("- ", f"{link['title']}: {link['reason']}"), f"  {link['url']}"]
    if data["words"]:
        lines += ["", *_heading("Words explained", "-"), ""]
        for word in data["words"]:
            lines += _item("- ", f"{_name(word)}: {word['meaning']}")
    if data["references"]:
        lines += ["", *_heading("Sources", "-"), ""]
        for reference in data["references"]:
            lines += _item(f"{reference['number']}. ", reference["text"])
            lines += [f"   {reference['url']}"] if reference["url"] else []
            lines += _item("   ", f"What it found: {reference['finding']}") if reference["finding"] else []
    lines += ["", *_heading("About this page", "-"), ""]
    if data["evidence_checked_on"]:
        lines += [f"Evidence checked: {date.fromisoformat(data['evidence_checked_on']):%B %Y}"]
    lines += [f"Last changed: {data['updated_on']}"]
    if data["reviewed_on"]:
        lines += [f"Reviewed: {data['reviewed_on']} by {data['reviewer']}"]
    if data["review_due_on"]:
        lines += [f"Next review due: {data['review_due_on']}"]
    lines += [
        f"{clinic['name']}. Independent clinic. Not an NHS service.",
        *_wrap(f"Phone: {clinic['phone']}{', ' * bool(clinic['hours'])}{clinic['hours']}"),
        data["address"],
    ]
    lines += _wrap("For patient information only. It does not replace advice from a clinician who knows you.")
    return "\n".join(lines) + "\n"


def _name(word: dict) -> str:
    """The word as the sheet uses it, and the glossary's name for it if that is different."""
    return word["word"] if word["word"] == word["term"] else f"{word['word']} ({word['term']})"


def _section(section: dict) -> list[str]:
    lines = [*_heading(section["heading"], "-"), ""] if section["heading"] else []
    if section["label"]:
        lines += [*_wrap(section["label"]), ""]
    if section["kind"] == "figure":
        lines += _drawing(section["figure"])
    if section["kind"] == "numbers":
        for number in section["numbers"]:
            lines += _item("- ", f"{number['count']} in {number['base']}: {_words(number['content'])}")
        return lines
    for block in section["blocks"]:
        lines += [*_block(block), ""]
    for statement in section.get("evidence", []):
        lines += _wrap(f"{statement['claim']}: {statement['verdict']}.")
        for block in statement["blocks"]:
            lines += _block(block)
        if statement["nice_position"]:
            says = "" if statement["nice_position"].startswith("NICE") else "NICE says: "
            lines += _wrap(f"{says}{statement['nice_position']}")
        numbers = ", ".join(str(source["number"]) for source in statement["sources"])
        lines += [f"Sources: {numbers}", ""]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _drawing(figure: dict) -> list[str]:
    lines = _wrap(f"Figure: {figure['title']}. {figure['long_description']}")
    return lines + (_wrap(f"Picture credit: {figure['credit']}") if figure.get("credit") else [])


def _block(block: dict, width: int = WIDTH) -> list[str]:
    match block["type"]:
        case "paragraph":
            return _wrap(_words(block["content"]), width)
        case "heading":
            return _wrap(_words(block["content"]).upper(), width)
        case "list":
            lines = []
            for number, item in enumerate(block["items"], start=1):
                mark = f"{number}. " if block["ordered"] else "- "
                first, *rest = [line for part in item for line in _block(part, width - len(mark))] or [""]
                lines += [f"{mark}{first}", *(f"{' ' * len(mark)}{line}" for line in rest)]
            return lines
        case "table":
            lines = []
            names = [_words(cell) for cell in block["header"]]
            for row in block["rows"]:
                lines += _wrap(f"{_words(row[0])}:", width)
                for name, cell in zip(names[1:], row[1:], strict=False):
                    lines += _item("  ", f"{name}: {_words(cell)}", width)
            return lines
    raise ValueError(block["type"])


def _words(content: list[dict]) -> str:
    parts = []
    for are_cites, nodes in groupby(content, key=lambda node: node["type"] == "cite"):
        if are_cites:
            parts.append(f" [{', '.join(str(node['number']) for node in nodes)}]")
            continue
        parts += [_word(node) for node in nodes]
    return "".join(parts)


def _word(node: dict) -> str:
    match node["type"]:
        case "text":
            return node["text"]
        case "break":
            return " "
        case "link":
            href = node["href"] if not node["href"].startswith("/") else f"{settings.BASE_URL}{node['href']}"
            return f"{_words(node['content'])} ({href})"
    return _words(node["content"])


def _heading(words: str, underline: str) -> list[str]:
    wrapped = _wrap(words)
    return [*wrapped, underline * min(WIDTH, max(map(len, wrapped), default=0))]


def _wrap(words: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False)


def _item(mark: str, words: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(
        words,
        width,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
