"""The wording of our emails and confirmation pages: the defaults, what an owner wrote instead, and how either is filled in.

A text has paragraphs, lists of lines that begin with "- ", and placeholders in braces. Each offers its own placeholders
(`wordings.yaml`) and no others, so nothing that a stranger typed can come in with an edit. An edit is checked and kept with its
history, and comes out as plain text and as HTML.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.html import escape, format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe

from backcare.core import clinic
from enquiries.models import WordingEdition
from factsheets import claims_guard, team
from factsheets.fixtures import StrictLoader

FILE = Path(__file__).with_name("wordings.yaml")
LABELS = {"subject": "Subject", "heading": "Heading", "lead": "First sentence", "text": "Text"}
MAX_LENGTH = {"subject": 120, "heading": 120, "lead": 300, "text": 4000}  # characters
# The words after a colon are never backtracked into (`*+`), so matching takes linear time.
PLACEHOLDER = re.compile(
    r"\{\s*([a-z](?:[a-z ]*[a-z])?)\s*(?::\s*+((?:[^{}\s]++(?:[^\S\n]++(?=[^{}\s]))?+)*+)\s*+)?\}", re.IGNORECASE
)
# A web address in a text, which becomes a link.
ADDRESS = re.compile(r"https?://[^\s<>\"“”]+")
AFTER = ".,;:!?)]}’'"  # punctuation after an address that belongs to the sentence
IN_MAIL, ON_PAGE = '<a href="{0}"><font color="{1}">{0}</font></a>', '<a href="{0}">{0}</a>'

# A coloured cell, because mail programs have no other button.
BUTTON = (
    '<table role="presentation" cellpadding="12" cellspacing="0" border="0"><tr><td bgcolor="{0}"><a href="{1}">'
    '<font face="Verdana, sans-serif" size="3" color="#FFFFFF"><b>{2}</b></font></a></td></tr></table>'
)


class Kind(Enum):
    INLINE = "inline"  # words in a sentence
    LINK = "link"  # {link: words}: the words become a link
    BLOCK = "block"  # has a line to itself


@dataclass(frozen=True)
class Placeholder:
    name: str
    means: str
    kind: Kind = Kind.INLINE
    needed_in: str = ""  # the part that must contain it
    in_subject: bool = False  # others may read a subject on a locked screen or in a log

    @property
    def written(self) -> str:
        return f"{{{self.name}: your words}}" if self.kind == Kind.LINK else f"{{{self.name}}}"


EVERYWHERE = (
    Placeholder("clinic", "the clinic’s name", in_subject=True),
    Placeholder("phone", "the clinic’s phone number", in_subject=True),
)


@dataclass(frozen=True)
class Wording:
    key: str
    name: str
    when: str
    default: dict[str, str]  # by part: see LABELS
    own: tuple[Placeholder, ...] = ()
    is_page: bool = False
    to_staff: bool = False  # without the safety card and the footer
    subject: str = ""  # if it cannot be changed
    always: str = ""  # what the system adds below the text
    fixed: tuple[str, ...] = ()  # what the system adds, in words for staff

    @property
    def placeholders(self) -> dict[str, Placeholder]:
        return {each.name: each for each in (*self.own, *EVERYWHERE)}


def _read() -> dict[str, Wording]:
    texts = yaml.load(FILE.read_text(encoding="utf-8"), Loader=StrictLoader)["texts"]  # noqa: S506 - it is safe
    return {key: _wording(key, **given) for key, given in texts.items()}


def _wording(
    key: str, *, placeholders: Iterable[Mapping[str, Any]] = (), fixed: Iterable[str] = (), **given: Any
) -> Wording:
    own = tuple(Placeholder(**{**each, "kind": Kind(each.get("kind", "inline"))}) for each in placeholders)
    always = (f"below your text: “{given['always']}”",) if "always" in given else ()
    return Wording(key, own=own, fixed=(*fixed, *always), **given)


WORDINGS = _read()


@dataclass(frozen=True)
class Link:
    address: str
    is_button: bool = False  # where it has a line of its own in an email


@dataclass(frozen=True)
class Block:
    """A part that the system makes. Both are empty if it does not apply."""

    text: str = ""
    html: str = ""


Value = str | Link | Block


@dataclass(frozen=True)
class Filled:
    """A text for one reader: its short parts as plain text by name, and its long one in both forms."""

    parts: dict[str, str]
    text: str
    html: SafeString


class Changed(Exception):
    """Somebody else has saved this text since, so nothing was saved. Holds their edition."""

    def __init__(self, edition: WordingEdition):
        super().__init__(str(edition))
        self.edition = edition


# --- storing ---


# What `newest` has read while the worker renders a batch.
_in_hand: ContextVar[dict[str, WordingEdition | None] | None] = ContextVar("wordings that were read", default=None)


@contextmanager
def reading_once(read: dict[str, WordingEdition | None]) -> Iterator[None]:
    """Inside the block each text is read once, into `read`. For emails that are sent in the same second."""
    before = _in_hand.set(read)
    try:
        yield
    finally:
        _in_hand.reset(before)


def newest(key: str) -> WordingEdition | None:
    read = _in_hand.get()
    if read is None:
        return WordingEdition.objects.filter(key=key).first()
    if key not in read:
        read[key] = WordingEdition.objects.filter(key=key).first()
    return read[key]


def parts_of(wording: Wording, edition: WordingEdition | None) -> dict[str, str]:
    """The text in force. If this release no longer accepts an edit, the default replaces it, because every email must be whole."""
    if edition is None or not edition.parts:
        return wording.default
    parts = {name: edition.parts.get(name, said) for name, said in wording.default.items()}
    return wording.default if mistakes(wording, parts) else parts


def save(wording: Wording, parts: Mapping[str, str], *, by: User, seen: int, kept_because: str = "") -> WordingEdition:
    """`seen` is the number of the edition on the page, or 0 for none. Raises Changed. The same text is not saved twice."""
    kept = {} if parts == wording.default else dict(parts)
    last = newest(wording.key)
    if last and (last.parts, last.kept_because) == (kept, kept_because):
        return last
    if last and last.number != seen:
        raise Changed(last)
    try:
        with transaction.atomic():
            return WordingEdition.objects.create(
                key=wording.key,
                number=last.number + 1 if last else 1,
                parts=kept,
                kept_because=kept_because,
                by=by,
                actor=team.account_name(by),
            )
    except IntegrityError:
        if theirs := newest(wording.key):
            raise Changed(theirs) from None
        raise


# --- checking ---


def mistakes(wording: Wording, parts: Mapping[str, str]) -> list[tuple[str, str]]:
    """The part and the reason for everything that could not be sent as it is."""
    found: dict[tuple[str, str], None] = {}
    for part, text in parts.items():
        for each in PLACEHOLDER.finditer(text):
            if why := _mistake(wording, part, each[0], _name(each), each[2] or ""):
                found[part, why] = None
        if part == "text":
            found |= {(part, why): None for why in _misplaced(wording, text)}
        if "{" in (rest := PLACEHOLDER.sub("", text)) or "}" in rest:
            found[part, "A brace has no partner, or holds something that is not one of the placeholders."] = None
        if not PLACEHOLDER.sub("x", text).strip():
            found[part, "Write something, or put the default back."] = None
    for name, placeholder in wording.placeholders.items():
        part = placeholder.needed_in
        if part and name not in {_name(each) for each in PLACEHOLDER.finditer(parts[part])}:
            found[part, f"{placeholder.written} is missing: {placeholder.means}."] = None
    return list(found)


def _mistake(wording: Wording, part: str, written: str, name: str, given: str) -> str:
    placeholder = wording.placeholders.get(name)
    if placeholder is None:
        offered = ", ".join(each.written for each in wording.placeholders.values())
        return f"{written} is not one of the placeholders of this text. It has {offered}."
    if part == "subject" and not placeholder.in_subject:
        return f"{written} cannot be in a subject, which may be read on a locked screen."
    if part != "text" and placeholder.kind != Kind.INLINE:
        return f"{written} can be in the text only."
    if placeholder.kind == Kind.LINK and not given:
        return f"{written} needs the words to press: {placeholder.written}."
    if placeholder.kind != Kind.LINK and given:
        return f"{written} takes no words: write {placeholder.written}."
    return ""


def _misplaced(wording: Wording, text: str) -> Iterator[str]:
    for line in text.splitlines():
        for each in PLACEHOLDER.finditer(line):
            placeholder = wording.placeholders.get(_name(each))
            if placeholder and placeholder.kind == Kind.BLOCK and line.strip() != each[0]:
                yield f"{each[0]} must have a line of its own."


def claims(parts: Mapping[str, str]) -> list[claims_guard.Finding]:
    """What the claims guard finds. `section` of each is the part's name."""
    # Placeholders are names, times or sheets' titles, which the guard has read. The words of a link are the clinic's.
    return [
        each
        for part, text in parts.items()
        for each in claims_guard.free_text(part, PLACEHOLDER.sub(lambda found: found[2] or "", text))
    ]


def _name(found: re.Match[str]) -> str:
    return " ".join(found[1].lower().split())


# --- filling in ---


def filled(key: str, values: Mapping[str, Value], parts: Mapping[str, str] | None = None) -> Filled:
    """The text in force, or `parts` for a preview, for one reader. One query unless `parts` are given."""
    wording = WORDINGS[key]
    parts = parts_of(wording, newest(key)) if parts is None else parts
    values = {**values, **everywhere()}
    short = {name: _plain(text, values) for name, text in parts.items() if name != "text"}
    text, html = _long(parts.get("text", ""), values, mail=not wording.is_page)
    return Filled(short, text, html)


def short(key: str, part: str) -> str:
    """One short part, which uses only placeholders that every text has. One query."""
    return _plain(parts_of(WORDINGS[key], newest(key))[part], everywhere())


def everywhere() -> dict[str, Value]:
    known = clinic.details()
    return {"clinic": known["name"], "phone": known["phone"]}


def _plain(text: str, values: Mapping[str, Value]) -> str:
    return " ".join(PLACEHOLDER.sub(lambda found: str(values[_name(found)]), text).split())


def _long(text: str, values: Mapping[str, Value], *, mail: bool) -> tuple[str, SafeString]:
    """Paragraphs, lists and blocks, in both forms. Leaves out lines that are empty once filled in."""
    texts, html = [], []
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip()):
        said = [line for line in map(str.strip, paragraph.split("\n")) if not _says_nothing(line, values)]
        written: list[str] = []
        for is_item, lines in _runs(said):
            for line in lines:
                block = _block(line, values)
                written.append(block.text if block else _line_as_text(line, values))
            html.append(_run_as_html(is_item, lines, values, mail=mail))
        if written:
            texts.append("\n".join(written))
    return "\n\n".join(texts), mark_safe("\n".join(html))  # noqa: S308 - each part was escaped


def _runs(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    run: list[str] = []
    for line in lines:
        if run and run[0].startswith("- ") != line.startswith("- "):
            yield run[0].startswith("- "), run
            run = []
        run.append(line)
    if run:
        yield run[0].startswith("- "), run


def _run_as_html(is_item: bool, lines: list[str], values: Mapping[str, Value], *, mail: bool) -> str:
    if is_item:
        items = format_html_join("", "<li>{}</li>", ((_line_as_html(line[2:], values, mail=mail),) for line in lines))
        return format_html("<ul>{}</ul>", items)
    parts: list[str] = []
    open_lines: list[str] = []
    for line in lines:
        if html := _block_as_html(line, values, mail=mail):
            parts += [_paragraph(open_lines), html]
            open_lines = []
        else:
            open_lines.append(_line_as_html(line, values, mail=mail))
    parts.append(_paragraph(open_lines))
    return "\n".join(part for part in parts if part)


def _paragraph(lines: list[str]) -> str:
    return f"<p>{'<br>'.join(lines)}</p>" if lines else ""


def _block(line: str, values: Mapping[str, Value]) -> Block | None:
    found = PLACEHOLDER.fullmatch(line)
    value = values[_name(found)] if found else None
    return value if isinstance(value, Block) else None


def _block_as_html(line: str, values: Mapping[str, Value], *, mail: bool) -> str:
    """The content of a line that stands alone between paragraphs. Empty for any other line."""
    found = PLACEHOLDER.fullmatch(line)
    value = values[_name(found)] if found else None
    if isinstance(value, Block):
        return value.html
    if found and mail and isinstance(value, Link) and value.is_button:
        return format_html(BUTTON, clinic.details()["colours"]["strong"], value.address, found[2])
    return ""


def _says_nothing(line: str, values: Mapping[str, Value]) -> bool:
    found = list(PLACEHOLDER.finditer(line))
    rest = PLACEHOLDER.sub("", line).strip(" -.")
    return bool(found) and not rest and not any(_is_there(values[_name(each)]) for each in found)


def _is_there(value: Value) -> bool:
    return bool(value.address if isinstance(value, Link) else value.text if isinstance(value, Block) else value)


def _line_as_text(line: str, values: Mapping[str, Value]) -> str:
    alone = PLACEHOLDER.fullmatch(line.removeprefix("- ").rstrip("."))

    def put_in(found: re.Match[str]) -> str:
        value = values[_name(found)]
        if not isinstance(value, Link):
            return str(value)
        if not value.address:
            return found[2] or ""
        return f"{found[2]}:\n{value.address}" if alone else f"{found[2]} ({value.address})"

    filled_in = PLACEHOLDER.sub(put_in, line)
    return filled_in.rstrip(".") if alone and isinstance(values[_name(alone)], Link) else filled_in


def _line_as_html(line: str, values: Mapping[str, Value], *, mail: bool) -> SafeString:
    parts: list[str] = []
    end = 0
    for found in PLACEHOLDER.finditer(line):
        parts += [linked_line(line[end : found.start()], mail=mail), _as_html(found, values, mail=mail)]
        end = found.end()
    parts.append(linked_line(line[end:], mail=mail))
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped


def _as_html(found: re.Match[str], values: Mapping[str, Value], *, mail: bool) -> str:
    value: Any = values[_name(found)]
    if not isinstance(value, Link) or not value.address:
        return escape(found[2] if isinstance(value, Link) else value)
    colour = clinic.details()["colours"]["strong"] if mail else ""
    words: Any = format_html('<font color="{}">{}</font>', colour, found[2]) if mail else found[2]
    return format_html('<a href="{}">{}</a>', value.address, words)


# --- somebody's plain text as HTML for an email ---


def linked(text: str) -> SafeString:
    """Paragraphs in which each web address is a link. HTML in the text is shown as text."""
    return mark_safe(linebreaks(linked_line(text), autoescape=False))  # noqa: S308 - each part was escaped


def _link(address: str, *, mail: bool) -> SafeString:
    return (
        format_html(IN_MAIL, address, clinic.details()["colours"]["strong"]) if mail else format_html(ON_PAGE, address)
    )


def linked_line(text: str, *, mail: bool = True) -> SafeString:
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(AFTER)
        parts += [escape(text[end : found.start()]), _link(address, mail=mail)]
        end = found.start() + len(address)
    parts.append(escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped
