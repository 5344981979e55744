"""“Did you mean”: the nearest word that our texts have, for one that they have not."""

from django.db.models import Count, Max
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from factsheets.models import SearchPosting, SearchWord, State
from factsheets.search import synonyms
from factsheets.search.text import stem

LOOKED_AT = 8  # nearest words that are tried against what is published
MIN_LENGTH = 4  # letters; a shorter word is near to everything

_kept: dict = {"version": None, "words": {}}  # of this process; the version is asked for whenever a word is unknown


def suggest(word: str) -> str | None:
    """A published word near to the folded `word`, or two when a space was left out; None when nothing is near."""
    if len(word) < MIN_LENGTH or word.isdigit():
        return None
    known = _words()
    for candidate in _split(word, known) + _nearest(word, known):
        if all(_is_public(part) for part in candidate.split()):
            return candidate
    return None


def mistakes_allowed(word: str) -> int:
    """How many letters may be wrong, missing, too many or swapped."""
    return 1 if len(word) <= 5 else 2 if len(word) <= 8 else 3


def _nearest(word: str, known: dict) -> list[str]:
    near = process.extract(word, known.keys(), scorer=OSA.distance, score_cutoff=mistakes_allowed(word), limit=None)
    found = {candidate: distance for candidate, distance, _ in near}
    if len(word) > MIN_LENGTH:
        # Not typed to its end: “acupunct”.
        found |= {each: 1 for each in known if each.startswith(word)}
    # Synonyms hold misspellings on purpose; a word of our texts that is nearly as near is the kinder offer.
    cost = {each: distance + (0 if known[each] else 1.5) for each, distance in found.items()}
    return sorted(cost, key=lambda each: (cost[each], -JaroWinkler.similarity(word, each), len(each), each))[:LOOKED_AT]


def _split(word: str, known: dict) -> list[str]:
    """“backpain” is “back pain”."""
    return [
        f"{word[:place]} {word[place:]}"
        for place in range(3, len(word) - 2)
        if word[:place] in known and word[place:] in known
    ]


def _words() -> dict[str, bool]:
    """Every word that may be offered, and whether a text has it; else only a synonym does.

    Words are only ever added, so how many there are tells whether we have them all.
    """
    also = synonyms.current().words
    version = (SearchWord.objects.aggregate(count=Count("pk"), last=Max("pk")), also)
    if version != _kept["version"]:
        written = SearchWord.objects.values_list("word", flat=True)
        _kept.update(words=dict.fromkeys(also, False) | dict.fromkeys(written, True), version=version)
    return _kept["words"]


def _is_public(word: str) -> bool:
    """What only a draft says must not be offered: it would tell what is in the draft."""
    if word in synonyms.current().words:
        return True
    found = SearchPosting.objects.filter(stem=stem(word))
    return found.filter(entry__sheet=None).exists() or found.filter(entry__sheet__state=State.PUBLISHED).exists()
