# ruff: noqa: T201
"""Makes both lists of ordinary words: `python -m tests.support.ordinary_words /usr/share/dict/british-english`.

- factsheets/search/redflags/ordinary.txt: words of a dictionary that the reader of red flags would take for a misspelling of a word
  in the patterns. Run it when patterns have new long words.
- factsheets/search/ordinary.txt: words that spelling help would take for a misspelling of a word of our pages. This needs a
  database with the content. Run it when the content has many new words.

The dictionary has a word on each line; ours is Debian's `wbritish`, which is SCOWL.
"""

import sys
from pathlib import Path

from tests.support.red_flag_figures import reader, set_up

# English words of our own pages that the dictionary lacks.
OURS = frozenset(["prescriber", "prescribers"])


def ordinary(dictionary: str, wording) -> list[str]:
    """In alphabetical order and without accents, as texts are read. Plurals of our own words are corrected anyway."""
    from factsheets.search.redflags.wording import MIN_MENDED
    from factsheets.search.text import plain

    words = {plain(word) for word in dictionary.split() if not word.endswith("'s")} | OURS
    return sorted(
        word
        for word in words
        if len(word) >= MIN_MENDED
        and word.isascii()
        and word.isalpha()
        and wording.nearest(word) not in {word, word.removesuffix("s")}
    )


def near_to_ours(dictionary: str) -> list[str]:
    """Words that are not on our pages but are spelt like one that is."""
    from factsheets.search import index, suggestions
    from factsheets.search.text import plain

    ours = index.current().vocabulary
    words = {plain(word) for word in dictionary.split() if not word.endswith("'s")} - ours
    asked = (word for word in words if word.isascii() and word.isalpha() and len(word) >= suggestions.MIN_LENGTH)
    return sorted(word for word in asked if suggestions.near(word, ours))


def main(path: str) -> None:
    set_up()
    from factsheets.search import suggestions
    from factsheets.search.redflags import wording

    dictionary = Path(path).read_text(encoding="utf-8")
    write(Path(wording.__file__).parent / "ordinary.txt", ordinary(dictionary, reader().wording))
    write(suggestions.ORDINARY, near_to_ours(dictionary))


def write(kept: Path, words: list[str]) -> None:
    kept.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{len(words)} words in {kept}")


if __name__ == "__main__":
    main(sys.argv[1])
