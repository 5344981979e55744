"""Pictures for tests, made on the spot, so that the repository holds nobody's photograph."""

import io
import struct
import zlib
from functools import cache

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from factsheets import actions, pictures
from factsheets.models import FactSheet, Figure, Picture, Section

RED, BLUE = (200, 30, 30), (30, 30, 200)
SECRET = "secret-of-the-camera"


def made(format: str = "JPEG", size=(400, 300), mode: str = "RGB", colour=RED, **options) -> bytes:
    """A picture of one colour."""
    return written(Image.new(mode, size, colour), format, **options)


def written(picture: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def two_colours(size=(440, 420)) -> Image.Image:
    """Red at the top and left, blue elsewhere, so that it looks different when turned or mirrored."""
    picture = Image.new("RGB", size, BLUE)
    picture.paste(RED, (0, 0, size[0], size[1] // 4))
    picture.paste(RED, (0, 0, size[0] // 3, size[1]))
    return picture


def moving(format: str) -> bytes:
    frames = [Image.new("RGB", (400, 300), colour) for colour in (RED, BLUE, RED)]
    return written(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def told_about() -> Image.Exif:
    """What a phone writes into a photo: the place, the owner and which way up it is."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = SECRET  # description, artist, copyright
    exif[0x0112] = 6  # turn it to the right
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 26.0), 3: "W", 4: (0.0, 7.0, 39.0), 29: SECRET})
    return exif


XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{SECRET}</rdf:RDF></x:xmpmeta>'.encode()


def profile(*, swapped: bool = False) -> bytes:
    """A colour profile that names itself. If `swapped`, its red is green, so that a conversion shows in every pixel."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if swapped:
        red, green = made.index(b"rXYZ", 128), made.index(b"gXYZ", 128)
        made[red : red + 4], made[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(made)


def telling(format: str) -> bytes:
    """A picture full of data that must not reach a reader."""
    options = {"exif": told_about().tobytes(), "icc_profile": profile()}
    if format == "JPEG":
        options |= {"comment": SECRET, "xmp": XMP}
    if format == "WEBP":
        options |= {"xmp": XMP}
    if format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Author", SECRET)
        options["pnginfo"].add_text("Comment", SECRET, zip=True)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    return written(two_colours(), format, **options)


def png(*chunks: tuple[bytes, bytes], size=(400, 300), after: bool = False) -> bytes:
    """A grey PNG written by hand, with further chunks before its pixels, or after them."""
    header = (b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(bytes((400 + 1) * 300)))
    ordered = [header, pixels, *chunks] if after else [header, *chunks, pixels]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in [*ordered, (b"IEND", b"")])


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def swelling(name: bytes = b"zTXt") -> tuple[bytes, bytes]:
    """A chunk of 50 KB that becomes 50 MB."""
    return name, b"name\x00\x00" + zlib.compress(bytes(50_000_000), 9)


def webp_of(width: int, height: int) -> bytes:
    """A WebP of a few bytes that says how large it is."""
    data = bytearray(made("WEBP", size=(1, 1), lossless=True))
    assert data[12:16] == b"VP8L"
    data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(data)


# --- kept, and shown ---


@cache
def prepared(size) -> pictures.Prepared:
    return pictures.prepare(made(size=size))


def figure_of_a_sheet() -> Figure:
    """A figure that the published sheet about-back-pain shows."""
    return Section.objects.filter(sheet__slug="about-back-pain", kind="figure").first().figure


def figures_of(slug: str) -> list[Figure]:
    """The figures of a sheet in the order a reader meets them, beginning with the one beside the key points."""
    sheet = FactSheet.objects.select_related("lead_figure").get(slug=slug)
    sections = sheet.sections.filter(kind="figure").select_related("figure")
    return [*([sheet.lead_figure] if sheet.lead_figure else []), *(section.figure for section in sections)]


def show(figure: Figure, size=(400, 300), credit: str = "") -> Picture:
    """Puts the figure's picture on its sheet, without the desk."""
    figure.drawing, figure.picture, figure.credit = "", pictures.keep(prepared(size), by=None), credit
    figure.width, figure.height = figure.size_of_file()
    figure.save()
    actions.refresh(sheet=FactSheet.objects.get(slug="about-back-pain"))
    return figure.picture
