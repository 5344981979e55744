"""The picture that stands beside a link to a page in a chat or on a social network: 1200 by 630 pixels, PNG."""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from math import cos, pi, sin

from django.conf import settings
from PIL import Image, ImageColor, ImageDraw

from factsheets.machines import drawing
from factsheets.machines.icons import Mark
from factsheets.machines.lettering import BOLD, ITALIC, LINE, REGULAR, draw, fit
from factsheets.models import FactSheet

SIZE = (1200, 630)
# The palette of static/css/site.css.
PAPER, INK, PINE, CLAY, MIST = "#FBF7F0", "#22302F", "#1F5A54", "#A94A23", "#E9F1EA"
SORE = 6  # the vertebra, counted from the top, that stands for where most backs hurt
LEFT, RIGHT = 76, 830  # the words stand between them
TOP, BOTTOM = 60, 570
# Edges are mixtures of two colours of the palette, in so many steps: as good as all colours there are, in a third of the bytes.
MIXED = [(PAPER, INK), (PAPER, PINE), (PAPER, CLAY), (MIST, PINE), (MIST, CLAY)]
STEPS = 14

GENERAL = "Understand and manage back pain"
PROMISE = "What helps, what does not, and how sure anyone can be"


def for_sheet(sheet: FactSheet) -> bytes:
    """The card of one sheet. The same sheet gives the same bytes."""
    return _card(sheet.topic.title, sheet.title)


def general() -> bytes:
    """The card of every other page."""
    return _card(PROMISE, GENERAL)


def _card(caption: str, title: str) -> bytes:
    image = _backdrop().copy()
    pen = ImageDraw.Draw(image)
    name = fit(
        settings.CLINIC["name"], font=BOLD, width=RIGHT - LEFT - 84, height=60, sizes=range(34, 15, -1), most_lines=1
    )
    draw(pen, (LEFT + 84, TOP + 44), name.lines[0], font=BOLD, size=name.size, fill=PINE)
    above = fit(caption, font=ITALIC, width=RIGHT - LEFT, height=50, sizes=range(32, 17, -1), most_lines=1)
    words = fit(title, font=BOLD, width=RIGHT - LEFT, height=300, sizes=range(84, 19, -2), most_lines=4)
    # Caption and title stand together in the middle of what is left between the name and the foot.
    height = words.height + 58
    y = 150 + (BOTTOM - 60 - 150 - height) // 2
    draw(pen, (LEFT, y + 32), above.lines[0], font=ITALIC, size=above.size, fill=CLAY)
    y += 58
    for number, line in enumerate(words.lines):
        draw(pen, (LEFT, y + round(words.size * (0.92 + LINE * number))), line, font=BOLD, size=words.size, fill=INK)
    draw(pen, (LEFT, BOTTOM), "For patients. Independent clinic, not an NHS service.", font=REGULAR, size=26, fill=PINE)
    file = BytesIO()
    image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


@lru_cache(maxsize=1)
def _backdrop() -> Image.Image:
    """What all cards share. Drawn once in each process."""
    image = Image.new("RGB", SIZE, PAPER)
    panel = drawing.bar(880, -60, 420, 750, 110, 0, (0, 0))
    image.paste(MIST, mask=drawing.stencil(SIZE, [panel]))
    spine = list(_spine())
    image.paste(PINE, mask=drawing.stencil(SIZE, spine))
    image.paste(CLAY, mask=drawing.stencil(SIZE, [spine[SORE]]))
    mark = Mark().drawn(62)
    image.paste(mark, (LEFT, TOP), mark)
    return image


@lru_cache(maxsize=1)
def _palette() -> Image.Image:
    colours = dict.fromkeys(
        tuple(round(one + (other - one) * step / (STEPS - 1)) for one, other in zip(*pair, strict=True))
        for pair in ([ImageColor.getrgb(colour) for colour in both] for both in MIXED)
        for step in range(STEPS)
    )
    image = Image.new("P", (1, 1))
    image.putpalette([part for colour in colours for part in colour])
    return image


def _spine() -> Iterator[list[tuple[float, float]]]:
    """Vertebrae, larger as they go down, along the curve of a lower back."""
    y = -34.0
    for number in range(9):
        width, height = 96 + 8 * number, 40 + 3 * number
        turned = 2 * pi * (y / 640 + 0.12)
        x = 1045 + 42 * sin(turned)
        yield drawing.bar(x - width / 2, y - height / 2, width, height, height / 2.3, -19 * cos(turned), (x, y))
        y += 66 + 4 * number
