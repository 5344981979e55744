# ruff: noqa: T201
"""How often search finds the right answer: `python -m tests.support.search_figures [FILE…]`.

A file has a search on each line, and after each “|” what answers it by one judgement; without one, tests/data/search_queries.txt.
The content comes from fixtures/, into a database of its own. `--misses` lists the searches that went wrong.
"""

import sys
from pathlib import Path

QUERIES = Path(__file__).parents[1] / "data" / "search_queries.txt"
WITHIN = (1, 3)  # the first result, and the first three


def queries(path: Path = QUERIES) -> list[tuple[str, list[list[str]]]]:
    """Each search, with what answers it according to each judgement."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(typed, [each.split() for each in judged]) for typed, *judged in (line.split(" | ") for line in lines)]


def answers(group: list, wanted: str) -> bool:
    """Whether a result is what was wanted: the page and, if a place on it is named, one of the two places shown."""
    entry = group[0].entry
    page, _, anchor = wanted.partition("#")
    address = page if page.startswith("/") else f"/fact-sheets/{page}/"
    if page == "/glossary/":
        return entry.address.startswith(page) and anchor in entry.address
    if entry.address != address:
        return False
    if not anchor or anchor not in entry.addresses:
        return True
    there = entry.passages[entry.addresses[anchor]].anchor
    return any(anchor == place.passage.question or there == place.passage.anchor for place in group[:2])


def right(given, wanted: list[str], within: int) -> bool:
    if "none" in wanted and not given.found.is_good:
        return True
    return any(answers(group, each) for group in given.found.entries[:within] for each in wanted)


def misses(listed: list) -> dict[tuple[int, int], list[str]]:
    """The searches with nothing right among their first results, by judgement (from 1) and number of results."""
    from factsheets.search.answer import answer

    given = [answer(typed) for typed, _ in listed]
    return {
        (judgement + 1, within): [
            typed
            for (typed, judged), found in zip(listed, given, strict=True)
            if not right(found, judged[judgement], within)
        ]
        for judgement in range(min(len(judged) for _, judged in listed))
        for within in WITHIN
    }


def main(arguments: list[str]) -> None:
    import django

    import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("load_content", verbosity=0)
    for path in [Path(each) for each in arguments if not each.startswith("--")] or [QUERIES]:
        listed = queries(path)
        print(f"\n{path.name}: {len(listed)} searches")
        for (judgement, within), missed in misses(listed).items():
            print(f"  judgement {judgement}, first {within}: {1 - len(missed) / len(listed):.1%} right")
            if "--misses" in arguments:
                print("".join(f"    {typed}\n" for typed in missed), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
