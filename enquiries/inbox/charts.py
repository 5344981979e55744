"""Columns of a chart, in the units of its drawing. templates/admin/enquiries/_columns.svg draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 340, 150
TOP, BOTTOM = 20, 24  # room for the numbers above the columns, and for the labels below them
GAP = 18  # between two groups


@dataclass(frozen=True)
class Column:
    series: int  # 1 and up: which look it has
    x: float
    y: float
    width: float
    height: float
    text: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        return round(self.y - 4, 1)


def columns(
    labels: Sequence[str],
    values: Sequence[Sequence[float | None]],
    texts,
    *,
    line: float | None = None,
    highest: float = 1,
) -> dict:
    """Groups of columns side by side: a label and a list of values each, None where there is nothing to draw.

    `texts` are the words above the columns, in the same shape. `line` is a value to draw across, such as an aim; the
    scale reaches `highest` at least.
    """
    highest = max([value for group in values for value in group if value is not None] + [line or 0, highest])
    room = HEIGHT - TOP - BOTTOM
    step = WIDTH / len(labels)
    drawn, below = [], []
    for number, (label, group) in enumerate(zip(labels, values, strict=True)):
        wide = min((step - GAP) / len(group), 44)
        left = number * step + (step - wide * len(group)) / 2
        below.append({"x": round(number * step + step / 2, 1), "text": label})
        for place, value in enumerate(group):
            tall = round(room * (value or 0) / highest, 1)
            top = round(HEIGHT - BOTTOM - tall, 1)
            drawn.append(
                Column(
                    place + 1, round(left + place * wide + 1, 1), top, round(wide - 2, 1), tall, texts[number][place]
                )
            )
    across = None if line is None else round(HEIGHT - BOTTOM - room * line / highest, 1)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "floor": HEIGHT - BOTTOM,
        "foot": HEIGHT - 6,
        "columns": drawn,
        "labels": below,
        "line": across,
    }
