"""The icons that a browser asks for by name, drawn from static/img/mark.svg."""

import re
from io import BytesIO

from django.conf import settings
from PIL import Image

from factsheets.machines import drawing

FOLDER = settings.BASE_DIR / "static" / "img"
TOUCH = 180  # pixels: what phones ask for when a page is put on the home screen
TOUCH_ROOM = 0.66  # of the width is for the mark; phones cut the corners off
FAVICON = [16, 32, 48]  # pixels
ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
TURN = re.compile(r"rotate\((\S+) (\S+) (\S+)\)")


class Mark:
    """The drawing in mark.svg: a rounded square and the vertebrae on it."""

    def __init__(self):
        svg = (FOLDER / "mark.svg").read_text(encoding="utf-8")
        self.size = float(svg.split('viewBox="0 0 ')[1].split()[0])
        self.paper, *self.vertebrae = (dict(ATTRIBUTE.findall(each)) for each in re.findall(r"<rect ([^>]*)/>", svg))
        self.tile, self.bone = self.paper["fill"], re.search(r'<g fill="([^"]*)"', svg)[1]

    def outlines(self, rects: list[dict], scale: float, left: float, top: float):
        for rect in rects:
            x, y, width, height, radius = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height", "rx"))
            turned = TURN.match(rect.get("transform", ""))
            turn, *around = (float(each) for each in turned.groups()) if turned else (0, 0, 0)
            outline = drawing.bar(x, y, width, height, radius, turn, tuple(around))
            yield [(left + px * scale, top + py * scale) for px, py in outline]

    def drawn(self, size: int) -> Image.Image:
        """The mark as it is, `size` pixels wide, on nothing."""
        scale = size / self.size
        image = Image.new("RGBA", (size, size))
        for colour, rects in ((self.tile, [self.paper]), (self.bone, self.vertebrae)):
            mask = drawing.stencil((size, size), list(self.outlines(rects, scale, 0, 0)))
            layer = Image.new("RGBA", (size, size), colour)
            layer.putalpha(mask)
            image.alpha_composite(layer)
        return image


def touch() -> bytes:
    mark = Mark()
    image = Image.new("RGB", (TOUCH, TOUCH), mark.tile)
    scale = TOUCH * TOUCH_ROOM / mark.size
    edge = TOUCH * (1 - TOUCH_ROOM) / 2
    mask = drawing.stencil((TOUCH, TOUCH), list(mark.outlines(mark.vertebrae, scale, edge, edge)))
    image.paste(mark.bone, mask=mask)
    return _written(image, "PNG", optimize=True)


def favicon() -> bytes:
    mark = Mark()
    smaller = [mark.drawn(size) for size in FAVICON]
    return _written(smaller[-1], "ICO", sizes=[(size, size) for size in FAVICON], append_images=smaller[:-1])


def _written(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


ICONS = {"touch.png": touch, "favicon.ico": favicon}
