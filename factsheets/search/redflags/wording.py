"""A text as words, in lower case and in sentences, with mistakes of thumb-typing and spoken forms corrected."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from factsheets.search.text import plain

MIN_MENDED = 5  # letters
TWO_WRONG_FROM = 11  # letters
# A new line is a new sentence only if it begins like one, because many keyboards break lines anywhere.
ENDS = re.compile(r"[.!?…;:]+(?=\s|$)|\n\s*\n|\n(?=\s*(?:[-–•*]|\d+[.)]|[A-Z]))")
PIECE = re.compile(r"(?P<word>[^\W_]+)|(?P<end>\x00)|(?P<comma>[,()/–—]|\s-\s)")
# “my tackle’s gone numb”, but not “it’s” and “she’s”
POSSESSIVE = re.compile(
    r"(?i)(?<=\w\w)(?<!\bit)(?<!\bhe)(?<!\bshe)(?<!that)(?<!there)(?<!\bwho)(?<!what)(?<!let)['’]s\b"
)
# Words that may come between those of a pattern.
SMALL = frozenset(
    """
    a about all also always am an any are around at be been being bit bloody completely even feckin for from
    fuckin fucking get gets getting got had has have he her his i id im in into is it its ive just kind lower me
    my now of often on ones our own properly pure quite really round she so some sometimes sort still that the
    their these they this those to totally upper very was we well were you your
    """.split()  # noqa: SIM905 - as a list it would have a word a line
)
NEGATED = "can do does did could would will have has had is are was were should must"
SHORT_FOR = {"will": "wont", "can": "cant"}
APART = re.compile(rf"\b({'|'.join(NEGATED.split())}) not\b")
SPLIT = re.compile(r"\b(can|don|doesn|didn|couldn|wouldn|won|haven|hasn|hadn|isn|aren|wasn|weren|shouldn) t\b")
SUBJECT = re.compile(r"\b(i) (m|ve|d|ll)\b")
UNABLE = re.compile(
    r"\b(?:un ?able|not able|incapable|not been able|stopped being able|no longer able|never able|(?:isnt|wasnt|arent|im not|"
    r"havent been|hasnt been) able)(?: to| of)?\b"
)
BARELY = re.compile(
    r"\bcan(?: still| now| just| really)? (?:hardly|barely|scarcely|not|no longer|only just)\b|\bcan no longer\b|"
    r"\b(?:hardly|barely) can\b"
)


def _spellings() -> dict[str, str]:
    """What people write, and what they mean. Each line of the file has a meaning and its spellings."""
    found = {}
    for line in (Path(__file__).parent / "spellings.txt").read_text(encoding="utf-8").splitlines():
        meant, _, written = line.partition(":")
        found |= dict.fromkeys(written.split(), meant)
    return found


SPELT = _spellings()


@cache
def ordinary() -> frozenset[str]:
    """English words that are not misspellings of ours."""
    return frozenset((Path(__file__).parent / "ordinary.txt").read_text(encoding="utf-8").split())


def joined(folded: str) -> str:
    """Joins words that mean the same as one: “do not” and “don t” as “dont”, “not able to” as “cant”."""
    folded = SPLIT.sub(r"\1t", folded)
    folded = SUBJECT.sub(r"\1\2", folded)
    folded = APART.sub(lambda match: SHORT_FOR.get(match[1], f"{match[1]}nt"), folded)
    folded = UNABLE.sub("cant", folded)
    return BARELY.sub("cant", folded)


@dataclass
class Text:
    """`sentence` and `piece` say which sentence each word is in, and which piece between commas."""

    words: list[str] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)
    piece: list[int] = field(default_factory=list)

    def __len__(self):
        return len(self.words)

    def bounds(self) -> list[tuple[int, int]]:
        """First and last word of each sentence that has words."""
        found: list[tuple[int, int]] = []
        for at, number in enumerate(self.sentence):
            if at and number == self.sentence[at - 1]:
                found[-1] = (found[-1][0], at)
            else:
                found.append((at, at))
        return found

    def add(self, words: list[str], sentence: int, piece: int) -> None:
        self.words += words
        self.sentence += [sentence] * len(words)
        self.piece += [piece] * len(words)


class Wording:
    """Splits and corrects texts. `vocabulary` are the words of the patterns."""

    def __init__(self, vocabulary: set[str]):
        self.vocabulary = vocabulary
        self.long = sorted(word for word in vocabulary if len(word) > MIN_MENDED and word.isalpha())
        self.mended: dict[str, str] = {}

    def read(self, typed: str) -> Text:
        text, sentence, piece = Text(), 0, 0
        marked = POSSESSIVE.sub("", ENDS.sub(" \x00 ", typed))
        for match in PIECE.finditer(joined(plain(marked))):
            if word := match["word"]:
                text.add(self.spelt(word), sentence, piece)
            else:
                piece += 1
                sentence += bool(match["end"])
        return text

    def spelt(self, word: str) -> list[str]:
        return SPELT[word].split() if word in SPELT else [self.mend(word)]

    def mend(self, word: str) -> str:
        """The word of our lists that was meant. Other English words stay."""
        if len(word) < MIN_MENDED or word in SMALL or not word.isalpha() or word in ordinary():
            return word
        return self.nearest(word)

    def nearest(self, word: str) -> str:
        """The word of our lists that differs by one letter wrong, missing, extra or swapped, or by two in a long word."""
        if word in self.vocabulary:
            return word
        if word.endswith("s") and word[:-1] in self.vocabulary:
            return word[:-1]
        if word not in self.mended:
            if len(self.mended) > 20_000:
                self.mended.clear()
            cutoff = 1 if len(word) < TWO_WRONG_FROM else 2
            near = process.extractOne(word, self.long, scorer=OSA.distance, score_cutoff=cutoff)
            self.mended[word] = near[0] if near and near[0][0] == word[0] else word
        return self.mended[word]
