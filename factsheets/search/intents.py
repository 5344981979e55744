"""What people search for (`intents.yaml`), such as worry, pregnancy, medicines or work, each with its own first answer."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from factsheets.search.text import words

FILE = Path(__file__).with_name("intents.yaml")
LIST = re.compile(r"\{([^{}]+)\}")

Phrase = tuple[str, ...]
Line = tuple[tuple[Phrase, ...], ...]  # parts that must all occur, each with phrases of which one is enough


@dataclass(frozen=True)
class Intent:
    name: str
    when: tuple[Line, ...]
    unless: tuple[Line, ...]
    first: tuple[str, ...]  # places, the first existing one of which is the answer
    topic: bool  # whether it says what the search is about, rather than what it asks
    signs: bool  # whether the short emergency card is above it


@cache
def intents() -> tuple[Intent, ...]:
    """Every intent, in file order. Raises KeyError or ValueError if the file is not sound."""
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    lists = {name: " ".join(listed.split()) for name, listed in given["words"].items()}
    return tuple(
        Intent(
            name=each["name"],
            when=tuple(_line(line, lists) for line in each["when"]),
            unless=tuple(_line(line, lists) for line in each.get("unless", ())),
            first=tuple(each["first"]),
            topic=each.get("topic", False),
            signs=each.get("signs", False),
        )
        for each in given["intents"]
    )


def read(typed: str) -> tuple[Intent | None, Intent | None]:
    """The first intent, and the first topic, whose words were typed."""
    stems = [word.stem for word in words(typed)]
    there = {tuple(stems[start : start + length]) for length in range(1, 7) for start in range(len(stems) - length + 1)}

    def fits(lines: tuple[Line, ...]) -> bool:
        return any(all(not there.isdisjoint(part) for part in line) for line in lines)

    found = [each for each in intents() if fits(each.when) and not fits(each.unless)]
    return next((each for each in found if not each.topic), None), next((each for each in found if each.topic), None)


def _line(line: str, lists: dict[str, str]) -> Line:
    filled = LIST.sub(lambda match: lists[match[1]], line)
    parts = tuple(
        tuple(phrase for phrase in (tuple(word.stem for word in words(each)) for each in part.split("|")) if phrase)
        for part in filled.split("+")
    )
    if not all(parts):
        raise ValueError(f"“{line}” has a part without a word.")
    return parts
