"""Rounded and turned bars with smooth edges: our mark is four of them, a spine is a row of them."""

from math import cos, radians, sin

from PIL import Image, ImageDraw

FINE = 4  # drawn so many times larger, then made smaller: Pillow's own shapes have jagged edges
STEPS = 8  # points on the rounding of a corner


def bar(x: float, y: float, width: float, height: float, radius: float, turn: float, around: tuple[float, float]):
    """The outline of a rounded bar whose top left corner is (x, y), turned by `turn` degrees clockwise around a point."""
    corners = [
        (x + width - radius, y + radius, -90),
        (x + width - radius, y + height - radius, 0),
        (x + radius, y + height - radius, 90),
        (x + radius, y + radius, 180),
    ]
    outline = []
    for middle_x, middle_y, start in corners:
        for step in range(STEPS + 1):
            angle = radians(start + 90 * step / STEPS)
            outline.append((middle_x + radius * cos(angle), middle_y + radius * sin(angle)))
    c, s = cos(radians(turn)), sin(radians(turn))
    ox, oy = around
    return [(ox + c * (px - ox) - s * (py - oy), oy + s * (px - ox) + c * (py - oy)) for px, py in outline]


def stencil(size: tuple[int, int], outlines: list[list[tuple[float, float]]]) -> Image.Image:
    """A mask (mode L) with the outlines filled."""
    mask = Image.new("L", (size[0] * FINE, size[1] * FINE))
    pen = ImageDraw.Draw(mask)
    for outline in outlines:
        pen.polygon([(x * FINE, y * FINE) for x, y in outline], fill=255)
    return mask.resize(size, Image.Resampling.BOX)
