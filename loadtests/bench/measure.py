"""Figures that travel: ours over a bare piece of the same kind, measured in alternation, with the spread of the rounds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One line of the report. `goal` is the least that is held, or the most where `at_most`; without one it is only told."""

    name: str
    values: list[float]  # of each round
    said: str
    goal: float | None = None
    at_most: bool = False

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def is_held(self) -> bool:
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        goal = f"{'at most' if self.at_most else 'at least'} {self.goal:g}" if self.goal is not None else ""
        verdict = "" if self.is_held else "  MISSED"
        spread = f"[{min(self.values):.3g}–{max(self.values):.3g}]"
        return f"{self.name:<58} {self.value:>8.3g} {spread:<14} {goal:<14}{verdict}  {self.said}"


def alternately(first: Callable[[], float], second: Callable[[], float], *, rounds: int) -> list[tuple[float, float]]:
    """Both in turns, each first in every other round: what slows the machine for a while slows both."""
    found = []
    for number in range(rounds):
        if number % 2:
            later, earlier = second(), first()
            found.append((earlier, later))
        else:
            found.append((first(), second()))
    return found


def rate(work: Callable[[], object], *, seconds: float) -> float:
    """How often `work` runs in a second."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        work()
        count += 1
    return count / spent


def compare(
    name: str, ours, bare, *, unit: str, goal: float | None = None, rounds: int = 5, seconds: float = 0.4
) -> Figure:
    """How often ours runs, as a part of how often the bare piece does."""
    ours(), bare()
    found = alternately(lambda: rate(ours, seconds=seconds), lambda: rate(bare, seconds=seconds), rounds=rounds)
    said = f"({median(a for a, _ in found):,.0f} against {median(b for _, b in found):,.0f} {unit})"
    return Figure(name, [a / b for a, b in found], said, goal)
