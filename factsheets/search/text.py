"""Words and their stems, which are the same for the index, the search and the synonyms.

A text is folded here (`indexable`), and tantivy cuts and stems what is left, so that a word of the index and a typed word meet.
"""

import re
import threading
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

MAX_WORD_LENGTH = 40  # letters; the longest word of English medicine has 45, and nobody searches for it
WORD = re.compile(r"[^\W_]+(?:['’‘`´ʼ＇][^\W_]+)*")
COMPOUND = re.compile(r"[^\W\d_]+(?:[-‐‑][^\W\d_]+)+")
APOSTROPHE = re.compile(r"['’‘`´ʼ＇]")
# Words that are in nearly every question and say nothing about its subject.
FUNCTION_WORDS = """
    a about after again all also am an and any are arent as at be because been before being both but by can cannot
    cant could couldnt did didnt do does doesnt doing dont for from get gets getting give go going got had has hasnt
    have havent having he her hers him his how i id if ill im in into is isnt it its ive just know me more most my
    myself near need needs no not of off on once only or other our out over own please same she should shouldnt so
    some such than that thats the their them then there theres these they this those though through to too under until
    up us very want wanted wants was wasnt we well were what whats when where which while who why will with wont would
    you your yours
"""
# Everyday verbs, times and places. In a search they weigh as little, but in a phrase they may matter: “side effect”.
EVERYDAY_WORDS = """
    actually ago almost along already always another anybody anyone anything around ask away best bit call came come
    comes coming day days done during each either else even ever every everyone everything feel feeling feels few find
    finding first found gave gives giving goes gone good help helped helping helps here instead keep keeping keeps kind
    last least left less let like look looking lot made make makes making many may maybe mean means might mine months
    much must never new next nobody nothing now often ok okay one onto others people per perhaps person put puts putting
    quite rather really right said saw say says see seem seems seen show side since somebody someone something
    sometimes soon still stuff suddenly take taken takes taking tell thank thanks thing things think thought till time
    times today together told took toward tried try trying two upon use used using usually via way week weeks went
    whether whom whose within without work worked working works wouldnt year years yes yet
"""
FUNCTION = frozenset(FUNCTION_WORDS.split())
STOP = FUNCTION | frozenset(EVERYDAY_WORDS.split())
MEDICATION = re.compile(r"\bmedications?\b")

ANALYZER = TextAnalyzerBuilder(Tokenizer.regex(r"[\p{L}\p{N}]+")).filter(Filter.stemmer("english")).build()
_stemming = threading.Lock()  # one thread at a time, because the analyser holds the word it works on
AMERICAN = re.compile(r"(?<=[a-z]{3})iz(e[ds]?|ing|ations?)\b")
POSSESSIVE = re.compile(r"['’‘`´ʼ＇]s\b")


class Word(NamedTuple):
    """A word of a text: folded, stemmed, whether it says anything, and where it starts and ends."""

    folded: str
    stem: str
    says_something: bool
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Every word of the text, except impossibly long ones."""
    found = []
    for match in WORD.finditer(text):
        folded, stemmed, says_something = _known(match[0])
        if folded:
            found.append(Word(folded, stemmed, says_something, match.start(), match.end()))
    return found


@lru_cache(maxsize=50_000)
def _known(written: str) -> tuple[str, str, bool]:
    folded = fold(written)
    if len(folded) > MAX_WORD_LENGTH:
        return "", "", False
    return folded, stem(folded), folded not in STOP and (len(folded) > 1 or folded.isdigit())


def stems(text: str) -> list[str]:
    """The stems of the words, in order, without function words unless there are no others (“WHO”, “it”)."""
    found = words(text)
    return [
        word.stem for word in found if (word.folded not in FUNCTION and len(word.folded) > 1) or word.folded.isdigit()
    ] or [word.stem for word in found]


def fold(word: str) -> str:
    """A word in lower case, without accents, possessive and apostrophes: “Ménière’s” and “meniere” meet."""
    return plain(re.sub(r"['’‘`´ʼ＇]s$", "", word.casefold()))


class _WithoutAccents(dict):
    """For str.translate: keeps letters and drops combining marks."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_without_accents = _WithoutAccents()


def plain(text: str) -> str:
    """A text in lower case, without accents and apostrophes: “can’t” and “cant” meet."""
    return unicodedata.normalize("NFKD", APOSTROPHE.sub("", text.casefold())).translate(_without_accents)


def stem(folded: str) -> str:
    with _stemming:
        return next(iter(ANALYZER.analyze(_british(folded))), folded)


def _british(folded: str) -> str:
    # “mobilization” and “mobilisation” have different stems otherwise, and “medication” is medicine and not medical.
    return AMERICAN.sub(r"is\1", MEDICATION.sub("medicine", folded))


def indexable(text: str) -> str:
    """A text for the index: folded, in British spelling, with hyphenated words also as one (“X-ray” is found as “xray”)."""
    joined = " ".join(re.sub(r"[-‐‑]", "", match[0]) for match in COMPOUND.finditer(text))
    return _british(plain(POSSESSIVE.sub("", f"{text} {joined}")))


def readable(typed: str) -> str:
    """What was typed, without invisible characters: NUL bytes, control and direction marks, surrogates."""
    seen = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} else letter
        for letter in typed
        if letter == "\u200d" or unicodedata.category(letter) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())
