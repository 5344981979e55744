"""What a search costs, and how that grows from 10 to 1,000 sheets; what the index in memory costs, whole and after one edit."""

import time
from collections.abc import Iterator
from statistics import median

from loadtests.bench.corpus import Corpus
from loadtests.bench.measure import Figure

SIZES = {10: 10, 1_000: 50}  # sheets → the most milliseconds of server time that half of the searches may take
ROUNDS = 20
SEARCHES = [
    "sciatica",
    "back pain",
    "slipped disk",
    "siatika",
    "can't pee",
    "painkillers",
    "exercise for sciatica",
    "how long does it last",
    "sheet 7",
    "xyzzyq",
    "how long does a slipped disk last when I sit at a desk all day with stress and sleep badly",
]


def searching(get) -> Iterator[Figure]:
    """Whole pages through all middleware, each search at its best of several rounds."""
    from factsheets.models import FactSheet
    from factsheets.search import index

    corpus = Corpus()
    medians = []
    for size, limit in SIZES.items():
        corpus.grow(size)
        index._kept = index.Index()
        whole = seconds(index.current)
        FactSheet.objects.filter(pk=corpus.real[0].pk).update(audience=f"Of {size} sheets.")
        FactSheet.objects.filter(pk=corpus.real[0].pk).update(title=f"One of {size} sheets")
        after_an_edit = seconds(index.current)
        times = {typed: milliseconds(get, typed) for typed in SEARCHES}
        slowest = max(times, key=times.get)
        medians.append(median(times.values()))
        said = (
            f"(÷ {next(iter(SIZES))} sheets {medians[-1] / medians[0]:.2f}; slowest “{slowest[:30]}”; "
            f"index {whole:.2f} s, after an edit {after_an_edit:.2f} s)"
        )
        yield Figure(
            f"searching: ms of half the searches, {size:,} sheets", [*times.values()], said, limit, at_most=True
        )


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def milliseconds(get, typed: str) -> float:
    def once() -> float:
        return seconds(lambda: get("/search/", {"q": typed})) * 1000

    once()
    return min(once() for _ in range(ROUNDS))
