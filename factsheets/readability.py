"""How hard a sheet is to read: its school grade, its long sentences, and its long words that nothing explains.

The grade is Flesch and Kincaid's (1975): 0.39 × words a sentence + 11.8 × syllables a word − 15.59. A US grade is about five years
less than the reader's age. The claim ledger asks for a reading age of 9 to 11, and 11 to 14 when a medical idea forces it.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from factsheets import safety
from factsheets.models import GlossaryTerm
from factsheets.rendering.glossary_marks import SENTENCE_END, Glossary
from factsheets.rendering.markdown import plain

LONG_SENTENCE = 20  # words; more are too many to hold while reading (house rule of the claim ledger)
HARD_WORD = 4  # syllables
IN_SHORT = "In short"
KEY_POINTS = "Key points"
AROUND_WORDS = "“”\"‘’'()[].,:;!?…"
VOWELS = re.compile(r"[aeiouy]+(?!(?<=e)s?$)")  # in groups, without a silent e at the end
PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class LongSentence:
    section: str
    words: int
    sentence: str


@dataclass(frozen=True)
class HardWord:
    word: str
    syllables: int
    count: int


@dataclass
class Readability:
    grade: float
    words: int
    sentences: int
    long_sentences: list[LongSentence] = field(default_factory=list)
    hard_words: list[HardWord] = field(default_factory=list)

    @property
    def long_part(self) -> float:
        """The part of all sentences that is long, from 0 to 1."""
        return len(self.long_sentences) / self.sentences if self.sentences else 0.0


def measure(document: dict) -> Readability:
    """The running text of `FactSheet.document`: key points, paragraphs, list items, and the statements' claims and details.

    Headings, tables, figures and references are not sentences and do not count. Traditional or not makes no difference.
    """
    return _measured(_running_text(document))


def measure_safety() -> dict[str, Readability]:
    """The safety advice of each tier, with the tier's heading and closing words. Raises SafetyAdviceMissing."""
    return {
        tier["tier"]: _measured(
            (tier["heading"], words)
            for words in [
                tier["heading"],
                *(each for item in tier["items"] for each in (item["text"], item["action"]) if each),
                tier["after"],
            ]
        )
        for tier in safety.tiers()
    }


def grade(text: str) -> float:
    """The Flesch–Kincaid grade of a plain text, to two decimals. A line without a full stop is a sentence. 0 for no words."""
    return _grade([sentence for line in text.splitlines() for sentence in sentences(line)])


def sentences(words: str) -> list[str]:
    """The sentences of one paragraph or item, each in one line."""
    return [each for each in SENTENCE_END.split(" ".join(words.split())) if _words(each)]


@lru_cache(maxsize=20_000)
def syllables(word: str) -> int:
    """The syllables of a word, by textstat's CMU dictionary. Parts with a hyphen count apart."""
    # The dictionary takes a second and 90 MB the first time. Only the editors' desk asks, so only it pays.
    import textstat
    from textstat.backend.utils import get_cmudict

    count = 0
    for part in filter(_words, re.split(r"[-–/]", word.lower().replace("’", "'"))):
        bare = part.strip(AROUND_WORDS)
        known = bare in get_cmudict("en_US")
        # For other words textstat counts places for a hyphen, which gives “fibromyalgia” three. Its vowels come closer.
        count += max(1, textstat.syllable_count(bare), 0 if known else len(VOWELS.findall(bare)))
    return count


def _running_text(document: dict):
    """Pairs of the section's name and the words of one paragraph or item."""
    if short := (document.get("in_short") or {}).get("content"):
        yield IN_SHORT, plain(short)
    for point in document.get("key_points", []):
        yield KEY_POINTS, plain(point["content"])
    for section in document.get("sections", []):
        name = section["heading"] or section["slug"]
        if section["kind"] != "figure":
            yield from ((name, words) for words in _pieces(section["blocks"]))
        for statement in section.get("evidence", []):
            yield name, statement["claim"]
            yield from ((name, words) for words in _pieces(statement["blocks"]))


def _pieces(blocks: list[dict]):
    for block in blocks:
        if block["type"] == "paragraph":
            yield plain(block["content"])
        elif block["type"] == "list":
            for item in block["items"]:
                yield from _pieces(item)


def _measured(pieces) -> Readability:
    pieces = list(pieces)
    found = [(section, sentence) for section, piece in pieces for sentence in sentences(piece)]
    lengths = [(section, len(_words(sentence)), sentence) for section, sentence in found]
    return Readability(
        grade=_grade([sentence for _, sentence in found]),
        words=sum(length for _, length, _ in lengths),
        sentences=len(found),
        long_sentences=[LongSentence(*each) for each in lengths if each[1] > LONG_SENTENCE],
        hard_words=_hard_words(piece for _, piece in pieces),
    )


def _grade(found: list[str]) -> float:
    words = [word for sentence in found for word in _words(sentence)]
    if not words:
        return 0.0
    return round(0.39 * len(words) / len(found) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59, 2)


def _hard_words(texts) -> list[HardWord]:
    """The most frequent first. “Out-of-hours” is three easy words and not a hard one."""
    explained = Glossary(GlossaryTerm.objects.all()).pattern
    counts = Counter(word for text in texts for word in PLAIN_WORD.findall(explained.sub(" ", text).lower()))
    hard = [HardWord(word, syllables(word), count) for word, count in counts.items() if syllables(word) >= HARD_WORD]
    return sorted(hard, key=lambda each: (-each.count, each.word))


def _words(sentence: str) -> list[str]:
    """What stands between spaces and holds a letter or a digit."""
    return [word for word in sentence.split() if any(letter.isalnum() for letter in word)]
