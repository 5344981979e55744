"""What a search costs, and how that grows from 10 to 10,000 sheets. Making 10,000 sheets takes minutes and 1.3 GB of disk."""

import time
from statistics import median

from loadtests.bench.corpus import Corpus

SIZES = [10, 1_000, 10_000]
ROUNDS = 20
LIMIT = 50  # milliseconds of server time, at any size
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


def searching(get) -> None:
    """Whole pages through all middleware, each search at its best of several rounds."""
    corpus = Corpus()
    medians = []
    for size in SIZES:
        corpus.grow(size)
        times = {typed: milliseconds(get, typed) for typed in SEARCHES}
        slowest = max(times, key=times.get)
        medians.append(median(times.values()))
        print(  # noqa: T201
            f"{f'searching: {size:,} sheets ÷ {SIZES[0]} sheets':<58} {medians[-1] / medians[0]:>7.3f}   "
            f"(median {medians[-1]:.1f} ms; slowest {times[slowest]:.1f} ms, “{slowest[:30]}”; "
            f"{'all' if times[slowest] < LIMIT else 'NOT all'} under {LIMIT} ms)"
        )


def milliseconds(get, typed: str) -> float:
    def once() -> float:
        start = time.perf_counter()
        get("/search/", {"q": typed})
        return (time.perf_counter() - start) * 1000

    once()
    return min(once() for _ in range(ROUNDS))
