"""Words and their stems, the same for what is indexed, what is typed, and the synonyms between them."""

import re
import threading
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

MAX_WORD_LENGTH = 40  # letters; the longest word of English medicine has 45, and nobody searches for it
WORD = re.compile(r"[^\W_]+(?:['’‘`´ʼ＇][^\W_]+)*")
COMPOUND = re.compile(r"[^\W\d_]+(?:[-‐‑][^\W\d_]+)+")
APOSTROPHE = re.compile(r"['’‘`´ʼ＇]")
# Words that stand in nearly every question and say nothing about it.
SMALL_WORDS = """
    a about after again all also am an and any are arent as at be because been before being both but by can cannot
    cant could couldnt did didnt do does doesnt doing dont for from get gets getting give go going got had has hasnt
    have havent having he her hers him his how i id if ill im in into is isnt it its ive just know me more most my
    myself near need needs no not of off on once only or other our out over own please same she should shouldnt so
    some such than that thats the their them then there theres these they this those through to too under until up
    us very want wanted wants was wasnt we well were what whats when where which while who why will with wont would
    you your yours
"""
STOP = frozenset(SMALL_WORDS.split())
# Where the stemmer would join what differs: “medication” is medicine and not medical.
OWN_STEMS = {"medication": "medicin", "medications": "medicin"}

_stemmer = snowballstemmer.stemmer("english")
_stemming = threading.Lock()  # the stemmer keeps the word it works on in itself


class Word(NamedTuple):
    """A word of a text: folded, stemmed, whether it says anything, and from where to where it stands."""

    folded: str
    stem: str
    says_something: bool
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Every word of the text that is not longer than words are."""
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
    """The stems of the words that say something, in their order. When none does (“WHO”, “it”), of all of them."""
    found = words(text)
    return [word.stem for word in found if word.says_something] or [word.stem for word in found]


def compounds(text: str) -> list[str]:
    """Stems of hyphenated words written as one: “X-ray” is also found as “xray”."""
    joined = (fold(re.sub(r"[-‐‑]", "", match[0])) for match in COMPOUND.finditer(text))
    return [stem(each) for each in joined if len(each) <= MAX_WORD_LENGTH]


def fold(word: str) -> str:
    """A word in lower case, without accents, possessive and apostrophes: “Ménière’s” and “meniere” meet."""
    return plain(re.sub(r"['’‘`´ʼ＇]s$", "", word.casefold()))


def plain(text: str) -> str:
    """A text in lower case, without accents and apostrophes: “can’t” and “cant” meet."""
    letters = unicodedata.normalize("NFKD", APOSTROPHE.sub("", text.casefold()))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def stem(folded: str) -> str:
    if folded in OWN_STEMS:
        return OWN_STEMS[folded]
    # American spelling first: “mobilization” and “mobilisation” have different stems otherwise.
    british = re.sub(r"(?<=[a-z]{3})iz(e[ds]?|ing|ations?)$", r"is\1", folded)
    with _stemming:
        return _stemmer.stemWord(british)


def readable(typed: str) -> str:
    """What was typed without what nobody can see: NUL bytes, control and direction marks, halves of characters."""
    seen = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} else letter
        for letter in typed
        if letter == "\u200d" or unicodedata.category(letter) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())
