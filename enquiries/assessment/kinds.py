"""The types that `questions.py` uses. There is no clinical content here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum, StrEnum

NONE = "none"  # "None of these", on red flags and elsewhere
UNSURE = "unsure"  # "I'm not sure", on red flags only. It is never kept as an answer, only which question it was about


class Outcome(IntEnum):
    """Where the person is sent. If several apply, the highest wins."""

    SELF_CARE = 1
    SEE_GP = 2
    URGENT = 3
    EMERGENCY = 4


class Duration(StrEnum):
    SHORT = "short-term"
    LINGERING = "lingering"
    LONG = "long-term"


# Every named part was answered with one of these values.
Condition = Mapping[str, frozenset[str]]
ANY = frozenset(["any"])  # whatever is ticked, "None of these" apart; compared by identity


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    told: str = ""  # the same as a sentence after "You told us:"; needed where a rule rests on it
    alone: bool = False  # cannot be ticked together with another


@dataclass(frozen=True)
class Part:
    """One question on a page. `name` is also the name of its answer in `Answers`."""

    name: str
    text: str
    options: tuple[Option, ...] = ()
    flags: str = ""  # the tier of the SafetyAdvice records that are the options
    many: bool = False
    required: bool = True
    hint: str = ""
    missing: str = ""  # the error message: an instruction


@dataclass(frozen=True)
class Question:
    """One page."""

    number: int
    parts: tuple[Part, ...]
    heading: str = ""  # only if several parts share the page; otherwise the part's own text is the heading

    @property
    def title(self) -> str:
        return self.heading or self.parts[0].text


@dataclass(frozen=True)
class Rule:
    """A row of the decision table. An empty `when` is always true."""

    code: str
    when: Condition
    outcome: Outcome
    shows: str = ""  # the SafetyAdvice record with the words of the list
    if_checked: str = ""  # said as well where a clinician has checked it and it is about the same


@dataclass(frozen=True)
class Offer:
    """A row of the table of sheets: offered when any of the conditions holds."""

    sheet: str  # its slug
    when: tuple[Condition, ...] = ()
    always: bool = False
    with_see_gp: bool = False


@dataclass(frozen=True)
class Note:
    name: str
    when: Condition
    heading: str
    lines: tuple[str, ...]
    sheet: str = ""  # where to read more
    signs: tuple[str, ...] = ()  # SafetyAdvice records shown in it, with what to do
    always: bool = False  # shown even where self-care advice is not: with URGENT, and to people under 18


@dataclass(frozen=True)
class Ask:
    """A question the person may want to ask a clinician. Without a condition, it is for everyone."""

    text: str
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Words:
    """What an outcome is called and what to do, as the person reads it."""

    heading: str
    lead: str
    suggestion: str = ""  # completes "So we suggest:"


@dataclass(frozen=True)
class Answers:
    """One person's answers, part by part. None means not answered yet; an empty set, nothing ticked where none need be."""

    emergency: frozenset[str] | None = None
    urgent: frozenset[str] | None = None
    age: str | None = None
    first: str | None = None
    duration: str | None = None
    checked: str | None = None
    reach: str | None = None
    walking: str | None = None
    stiff: str | None = None
    before_45: str | None = None
    both_sides: str | None = None
    triggers: frozenset[str] | None = None
    limits: str | None = None
    mood: str | None = None
    tried: frozenset[str] | None = None
    tell: frozenset[str] | None = None

    def ticked(self, name: str) -> frozenset[str]:
        """The values chosen for this part, without "None of these"."""
        given = getattr(self, name) or frozenset()
        return (given if isinstance(given, frozenset) else frozenset([given])) - {NONE}

    def meet(self, condition: Condition) -> bool:
        return all(self._is_among(getattr(self, name), values) for name, values in condition.items())

    @staticmethod
    def _is_among(given: str | frozenset[str] | None, values: frozenset[str]) -> bool:
        if given is None:
            return False
        if values is ANY:
            return bool(given - {NONE})
        return given in values if isinstance(given, str) else not given.isdisjoint(values)

    def answered(self, question: Question) -> bool:
        return all(getattr(self, part.name) is not None for part in question.parts)

    def with_answers(self, **given) -> "Answers":
        return replace(self, **given)

    def without(self, question: Question) -> "Answers":
        return replace(self, **dict.fromkeys((part.name for part in question.parts), None))

    @property
    def anything(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))
