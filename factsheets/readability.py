"""A sheet's readability: its school grade, the rhythm of its sentences, and long words without an explanation.

The grade is Flesch and Kincaid's (1975): 0.39 × words a sentence + 11.8 × syllables a word − 15.59. A US grade is about five years
less than the reader's age. The claim ledger asks for a reading age of 9 to 11, and 11 to 14 when a medical idea forces it.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import fmean, pstdev

from django.utils.text import Truncator

from factsheets.models import GlossaryTerm, Layer
from factsheets.rendering.glossary_marks import SENTENCE_END, Glossary
from factsheets.rendering.markdown import plain

# House rules for patients' prose, as minimum and maximum, because chopped sentences are as hard to follow as long ones.
MAX_SENTENCE = 28  # words
SHORT_SENTENCE = 7  # words; with fewer it is short
MAX_PARAGRAPH = 60  # words
MEAN_LENGTH = (12, 16)  # words a sentence
MIN_DEVIATION = 5  # words
MAX_SHORT_PART = 0.1
GRADE = (5, 7)
MAX_OPEN_WORDS = 900  # in a sheet's leaflet, which is open on its page
MAX_OPEN_WORDS_OF = {"about-back-pain": 1200, "tests-and-treatments": 1200}
PROSE_KINDS = {"text", "callout", "details", "evidence"}
ENDS_A_SENTENCE = re.compile(r"[.!?:][”\"’)]*\Z")
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
class LongParagraph:
    section: str
    words: int
    start: str


@dataclass(frozen=True)
class Figure:
    """One measure of the prose, and its target."""

    name: str
    value: str
    wanted: str
    problem: str  # empty if it meets that


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
    long_paragraphs: list[LongParagraph] = field(default_factory=list)
    hard_words: list[HardWord] = field(default_factory=list)
    rhythm: list[Figure] = field(default_factory=list)


def measure(document: dict, slug: str = "") -> Readability:
    """The running text of `FactSheet.document`: key points, paragraphs, list items, and the statements' claims and details.

    Headings, tables, figures and references are not sentences and do not count. Traditional or not makes no difference.
    With a slug it is a whole sheet, and its open words are counted too: some have a budget of their own.
    """
    found = _measured(_running_text(document))
    prose = [(name, words) for name, words in _prose(document) if ENDS_A_SENTENCE.search(words)]
    found.rhythm = _rhythm([sentence for _, words in prose for sentence in sentences(words)])
    if slug and (count := open_words(document)):
        found.rhythm.append(_figure("Words open on the page", count, None, most_open_words(slug)))
    counted = [(name, len(_words(words)), words) for name, words in prose]
    found.long_paragraphs = [
        LongParagraph(name, length, Truncator(words).words(8))
        for name, length, words in counted
        if length > MAX_PARAGRAPH
    ]
    return found


def words_of(sections: list[dict]) -> int:
    """What readers see of some sections: headings, text, lists, tables, captions, and statements' rows when closed."""
    said: list[str] = []
    for section in sections:
        said += [section["heading"], plain(section["blocks"])]
        if figure := section.get("figure"):
            said.append(figure["title"])
        for row in section.get("evidence", []):
            said += [row["claim"], row["verdict"], row["nice_chip"] if row["grade"] else "Guidance, so no bars"]
    return sum(len(_words(each)) for each in said)


def most_open_words(slug: str) -> int:
    return MAX_OPEN_WORDS_OF.get(slug, MAX_OPEN_WORDS)


def open_words(document: dict) -> int:
    """The words of its leaflet, which is open on the page, with the questions above them."""
    questions = [each["heading"] for each in document.get("chapters", []) if each["layer"] == Layer.LEAFLET]
    inside = [section for section in document.get("sections", []) if section["layer"] == Layer.LEAFLET]
    return words_of(inside) + sum(len(_words(each)) for each in questions)


def grade(text: str) -> float:
    """The Flesch–Kincaid grade of a plain text, to two decimals. A line without a full stop is a sentence. 0 for no words."""
    return _grade([sentence for line in text.splitlines() for sentence in sentences(line)])


def sentences(words: str) -> list[str]:
    """The sentences of one paragraph or item, each on one line."""
    return [each for each in SENTENCE_END.split(" ".join(words.split())) if _words(each)]


@lru_cache(maxsize=20_000)
def syllables(word: str) -> int:
    """The syllables of a word, by textstat's CMU dictionary. Parts with a hyphen count apart."""
    # Loading the dictionary takes a second and 90 MB. Only the editors' desk needs it, so only the desk loads it.
    import textstat
    from textstat.backend.utils import get_cmudict

    count = 0
    for part in filter(_words, re.split(r"[-–/]", word.lower().replace("’", "'"))):
        bare = part.strip(AROUND_WORDS)
        known = bare in get_cmudict("en_US")
        # For other words textstat counts places to hyphenate, which gives “fibromyalgia” three. Counting vowels comes closer.
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


def _prose(document: dict):
    """The same without lists of things to try, steps, tables and statements, whose lines need not be sentences."""
    if short := (document.get("in_short") or {}).get("content"):
        yield IN_SHORT, plain(short)
    for point in document.get("key_points", []):
        yield KEY_POINTS, plain(point["content"])
    for section in document.get("sections", []):
        if section["kind"] in PROSE_KINDS:
            yield from ((section["heading"] or section["slug"], words) for words in _pieces(section["blocks"]))


def _rhythm(found: list[str]) -> list[Figure]:
    lengths = [len(_words(sentence)) for sentence in found]
    if not lengths:
        return []
    mean, short = fmean(lengths), sum(length < SHORT_SENTENCE for length in lengths) / len(lengths)
    return [
        _figure("Words a sentence, on average", mean, *MEAN_LENGTH),
        _figure("Variety (standard deviation)", pstdev(lengths), MIN_DEVIATION, None),
        _figure("Sentences under seven words, %", 100 * short, None, 100 * MAX_SHORT_PART),
        _figure("Longest sentence", max(lengths), None, MAX_SENTENCE),
        _figure("Reading grade", _grade(found), *GRADE),
    ]


def _figure(name: str, value: float, least: float | None, most: float | None) -> Figure:
    wanted = f"{least:g} to {most:g}" if least and most else f"{least:g} or more" if least else f"{most:g} or less"
    rounded = round(value, 1)
    problem = "too low" if least and rounded < least else "too high" if most and rounded > most else ""
    return Figure(name, f"{rounded:g}", wanted, problem)


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
        long_sentences=[LongSentence(*each) for each in lengths if each[1] > MAX_SENTENCE],
        hard_words=_hard_words(piece for _, piece in pieces),
    )


def _grade(found: list[str]) -> float:
    words = [word for sentence in found for word in _words(sentence)]
    if not words:
        return 0.0
    return round(0.39 * len(words) / len(found) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59, 2)


def _hard_words(texts) -> list[HardWord]:
    """The most frequent first. “Out-of-hours” counts as three easy words, not one hard word."""
    explained = Glossary(GlossaryTerm.objects.all()).pattern
    counts = Counter(word for text in texts for word in PLAIN_WORD.findall(explained.sub(" ", text).lower()))
    hard = [HardWord(word, syllables(word), count) for word, count in counts.items() if syllables(word) >= HARD_WORD]
    return sorted(hard, key=lambda each: (-each.count, each.word))


def _words(sentence: str) -> list[str]:
    """Anything between spaces that contains a letter or digit."""
    return [word for word in sentence.split() if any(letter.isalnum() for letter in word)]
