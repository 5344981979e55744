# ruff: noqa: T201
"""Makes factsheets/search/redflags/ordinary.txt: `python -m tests.support.ordinary_words /usr/share/dict/british-english`.

Those words of a dictionary that the reader would take for a misspelling of a word in the patterns. The dictionary has a word on
each line; ours is Debian's `wbritish`, which is SCOWL. Run it when patterns have new long words.
"""

import sys
from pathlib import Path

from tests.support.red_flag_figures import reader, set_up

# English words of our own pages that the dictionary lacks.
OURS = frozenset(["prescriber", "prescribers"])


def ordinary(dictionary: str, wording) -> list[str]:
    """In alphabetical order and without accents, as texts are read. A plural of one of our words is put right all the same."""
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


def main(path: str) -> None:
    set_up()
    from factsheets.search.redflags import wording

    words = ordinary(Path(path).read_text(encoding="utf-8"), reader().wording)
    kept = Path(wording.__file__).parent / "ordinary.txt"
    kept.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{len(words)} words in {kept}")


if __name__ == "__main__":
    main(sys.argv[1])
