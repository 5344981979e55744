"""Reads an uploaded picture and writes it anew. A program of its own, run by factsheets.pictures for one picture at a time.

The decoders meet a stranger's bytes here: in a process that knows no secret, may use only so much memory, and takes nothing
down with it when it fails. The picture comes on standard input. On standard output comes one line of JSON, then the files.
"""

import hashlib
import io
import json
import re
import resource
import struct
import sys
import warnings
import zlib
from contextlib import suppress

from PIL import AvifImagePlugin, Image, ImageCms

# The only decoders that are tried. SVG, PDF, TIFF and PostScript are programs or boxes of anything.
DECODERS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF"]
MOST_PIXELS = 40_000_000
LEAST_WIDTH = 400  # pixels; less is a blur on a wide screen
LONGEST = 3  # times the other side: beyond, it fits no phone and no printed page
WIDTHS = [400, 800, 1200]
MEMORY = 1_000_000_000  # bytes of address space. 40 megapixels of WebP, the hungriest, take 800 million.
ORIENTATION = 0x0112  # Exif 2.3, 4.6.4
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = {5, 6, 7, 8}
ENCODERS = {
    "avif": ("AVIF", {"quality": 60, "speed": 6}),
    "webp": ("WEBP", {"quality": 80, "method": 4}),
    "jpg": ("JPEG", {"quality": 82, "optimize": True, "progressive": True}),
}
# What Pillow raises on bytes that make no sense.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)


class Refused(Exception):  # noqa: N818 - reads as what happened
    """Why the picture is not taken, in a sentence for the editor."""


NOT_A_PICTURE = "This file is not a picture that we can read. Choose a JPEG, PNG, WebP, AVIF or GIF file."
DAMAGED = "The picture is damaged or not complete. Save it again as a JPEG or PNG, and upload that."
TOO_MANY_PIXELS = (
    f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Save it smaller: 1,200 wide is enough."
)
MOVES = "The picture moves. Upload a still one: movement distracts readers, and paper cannot show it."
# What editors try in good faith, by how the file starts.
KNOWN = {
    "svg": "An SVG file can hold programs, so it cannot be uploaded. Save it as a PNG, and upload that.",
    "pdf": "This is a PDF. Save the picture in it as a JPEG or PNG, and upload that.",
    "heic": "This is an HEIC photo, as iPhones take them. Save it as a JPEG, and upload that.",
    "ours": DAMAGED,
}
OURS = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|....ftypavi[fs]", re.DOTALL)


def reencode(data: bytes) -> dict:
    """The picture's digest, width, height, and its files as (width, format, bytes). Raises Refused."""
    try:
        with Image.open(io.BytesIO(data), formats=DECODERS) as opened:
            picture = _read(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise Refused(TOO_MANY_PIXELS) from error
    except Image.UnidentifiedImageError as error:
        raise Refused(KNOWN.get(_kind(data), NOT_A_PICTURE)) from error
    except UNREADABLE as error:
        raise Refused(DAMAGED) from error
    files = []
    for width in [width for width in WIDTHS if width < picture.width] + [picture.width]:
        size = picture.resize((width, _height(picture.size, width)), Image.Resampling.LANCZOS)
        files += [(width, name, _written(size, name)) for name in ENCODERS]
    named = f"{picture.width} {picture.height} ".encode() + picture.tobytes()
    return {
        "digest": hashlib.sha256(named).hexdigest()[:32],
        "width": picture.width,
        "height": picture.height,
        "files": files,
    }


def _read(opened: Image.Image) -> Image.Image:
    """The picture as it is shown: upright, at most as wide as our widest, opaque, in sRGB, and nothing but pixels."""
    # The header's word, before a single pixel is made. An AVIF file can lie here; then MEMORY stops its decoder.
    if opened.width * opened.height > MOST_PIXELS:
        raise Refused(TOO_MANY_PIXELS)
    # A JPEG of several pictures is a camera's: the first one is the photo.
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise Refused(MOVES)
    if opened.format == "PNG":
        opened.load()  # what it says of itself may stand behind the pixels
    orientation = _orientation(opened)
    width, height = opened.size[::-1] if orientation in SIDEWAYS else opened.size
    if width < LEAST_WIDTH:
        raise Refused(f"The picture is {width} pixels wide. Choose one that is at least {LEAST_WIDTH} pixels wide.")
    if max(width, height) > LONGEST * min(width, height):
        raise Refused(
            f"The picture is too long and narrow. Crop it: one side can be {LONGEST} times the other at most."
        )
    profile = opened.info.get("icc_profile")
    # A JPEG decoder can leave out what nobody will see. It keeps at least twice the width that we write.
    opened.draft(None, (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
    width = min(width, WIDTHS[-1])
    height = _height(opened.size[::-1] if orientation in SIDEWAYS else opened.size, width)
    size = (height, width) if orientation in SIDEWAYS else (width, height)
    picture = _plain(opened).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _srgb(_opaque(picture), profile)
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    # Pixels alone: an image remembers comments and profiles, and writers put them back.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    return bare


def _orientation(opened: Image.Image) -> int:
    try:
        return opened.getexif().get(ORIENTATION, 1)
    except UNREADABLE:
        return 1


def _plain(opened: Image.Image) -> Image.Image:
    """The same picture in a mode that can be made smaller smoothly: eight bits a colour, and no palette."""
    opened.load()
    if opened.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight are what a screen shows. Pillow's own conversion would cut them off.
        return opened.convert("I").point(lambda value: value / 256).convert("L")
    if opened.mode in {"1", "P"} or "transparency" in opened.info:
        return opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    return opened


def _opaque(picture: Image.Image) -> Image.Image:
    """What is transparent becomes white, the colour of paper."""
    if picture.mode not in {"LA", "RGBA"}:
        return picture
    paper = Image.new("L" if picture.mode == "LA" else "RGB", picture.size, "white")
    paper.paste(picture.convert(paper.mode), mask=picture.getchannel("A"))
    return paper


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as every screen shows them. A profile that cannot be used is as good as none."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            if space == "RGB" and picture.mode == "L":
                picture = picture.convert("RGB")
            if {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space) == picture.mode:
                return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, *UNREADABLE):
            pass
    return picture.convert("RGB")


def _height(size: tuple[int, int], width: int) -> int:
    return max(1, round(size[1] * width / size[0]))


def _written(picture: Image.Image, name: str) -> bytes:
    format_, options = ENCODERS[name]
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def _kind(data: bytes) -> str:
    start = data[:1000].lower()
    if OURS.match(data):
        return "ours"
    if b"<svg" in start or (start.lstrip().startswith(b"<?xml") and b"<svg" in data.lower()):
        return "svg"
    if b"%pdf-" in start:
        return "pdf"
    return "heic" if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"heim", b"mif1"} else ""


def main() -> None:
    # Not every system can be told so, and on some the limit is lower already.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        made = reencode(sys.stdin.buffer.read())
    except Refused as refused:
        made = {"refused": str(refused), "files": []}
    files = made.pop("files")
    made["files"] = [(width, name, len(data)) for width, name, data in files]
    sys.stdout.buffer.write(json.dumps(made).encode() + b"\n" + b"".join(data for _, _, data in files))


Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
AvifImagePlugin.DEFAULT_MAX_THREADS = 2

if __name__ == "__main__":
    main()
