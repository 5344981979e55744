"""Reading a picture that somebody uploads: what is refused, with which sentence, and what is left of what is taken."""

import io

import pytest
from PIL import Image, ImageOps

from factsheets import pictures
from tests.support import pictures as samples
from tests.support.pictures import BLUE, RED, SECRET, made, png, swelling, two_colours, written

FORMATS = ["JPEG", "PNG", "WEBP"]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 400"><script>alert(1)</script></svg>'
NO_PICTURE, DAMAGED, PIXELS = (
    "cannot read this file as a picture",
    "damaged or incomplete",
    "more than 40 million pixels",
)
REFUSED = {
    "a text with another name": (b"Dear editor, this is my photo. " * 40, NO_PICTURE),
    "nothing": (b"", NO_PICTURE),
    "an SVG with a script": (SVG, NO_PICTURE),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 500 400\n(x) run\n", NO_PICTURE),
    "a TIFF": (made("TIFF"), NO_PICTURE),
    "half a JPEG": (samples.telling("JPEG")[:-400], DAMAGED),
    "half a WebP": (samples.telling("WEBP")[:-400], DAMAGED),
    "a moving PNG": (samples.moving("PNG"), "The picture is animated"),
    "a moving WebP": (samples.moving("WEBP"), "The picture is animated"),
    "too many pixels": (made("PNG", size=(10_000, 4_001), mode="1", colour=1), PIXELS),
    "a PNG that only says so": (png(size=(60_000, 60_000)), PIXELS),
    "a WebP that only says so": (samples.webp_of(8_000, 8_000), PIXELS),
    "fewer pixels than it says": (png(size=(2_000, 2_000)), DAMAGED),
    "text that swells": (png(swelling()), DAMAGED),
    "a colour profile that swells": (png(swelling(b"iCCP")), DAMAGED),
    "too narrow once it is upright": (
        made(size=(600, 399), exif=samples.told_about()),
        "The picture is 399 pixels wide",
    ),
    "a strip": (made("PNG", size=(400, 1_300)), "too long and narrow"),
    "too many bytes": (bytes(pictures.MAX_BYTES + 1), "larger than 10 MB"),
}


def test_it_is_refused_with_a_sentence(subtests):
    for what in REFUSED:
        with subtests.test(what=what):
            data, words = REFUSED[what]
            with pytest.raises(pictures.PictureRefused, match=words):
                pictures.prepare(data)


@pytest.mark.parametrize(("width", "widths"), [(400, [400]), (401, [400, 401]), (1300, [400, 800, 1200])])
def test_nothing_is_enlarged_and_nothing_is_wider_than_a_screen_needs(width, widths):
    found = pictures.prepare(made("PNG", size=(width, width // 2)))
    assert [(each, name) for each, name, _ in found.files] == [
        (each, name) for each in widths for name in ("webp", "jpg")
    ]
    assert found.width == widths[-1]


def near(colour, wanted, off: int = 8) -> bool:
    return all(abs(one - other) <= off for one, other in zip(colour, wanted, strict=True))


def largest(data: bytes) -> Image.Image:
    """What readers get of the picture, in its largest size."""
    _, _, found = [each for each in pictures.prepare(data).files if each[1] == "webp"][-1]
    return Image.open(io.BytesIO(found)).convert("RGB")


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_but_the_pixels_is_left(format):
    data = samples.telling(format) + b"<script>alert(1)</script>"
    assert SECRET.encode() in data
    for width, name, found in pictures.prepare(data).files:
        picture = Image.open(io.BytesIO(found))
        picture.load()
        assert picture.format == {"webp": "WEBP", "jpg": "JPEG"}[name]
        assert not dict(picture.getexif()), (width, name)
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop", "XML:com.adobe.xmp"} & set(picture.info)
        for trace in (SECRET, "xmpmeta", "ICC_PROFILE", "sRGB built-in", "Photoshop", "script"):
            assert trace.encode() not in found, (width, name, trace)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_taken_on_its_side_stands_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = written(two_colours(), "JPEG", exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    found = largest(data)
    assert found.size == upright.size
    for x, y in ((20, 20), (20, -20), (-20, 20), (-20, -20)):
        place = x % found.width, y % found.height
        assert near(found.getpixel(place), upright.getpixel(place), 20), (orientation, place)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_notes_and_profiles_that_make_no_sense_are_left_out():
    for options in (
        {"exif": b"Exif\x00\x00nonsense"},
        {"exif": b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"},
        {"icc_profile": b"nonsense"},
        {"mode": "CMYK", "colour": (0, 255, 255, 0), "icc_profile": samples.profile()},
    ):
        red, green, blue = largest(made(**options)).getpixel((9, 9))
        assert red > 150 > 100 > max(green, blue), options


def test_colours_of_another_profile_become_those_of_every_screen():
    assert near(largest(made(icc_profile=samples.profile())).getpixel((9, 9)), RED)
    found = largest(made("PNG", icc_profile=samples.profile(swapped=True))).getpixel((9, 9))
    assert found[1] > 150 > 100 > found[0]


GREY16 = Image.new("I;16", (400, 300), 0x8080)
PALETTE = Image.new("P", (400, 300), 1)
PALETTE.putpalette([*BLUE, *RED])
MODES = {
    "CMYK": (made(mode="CMYK", colour=(0, 0, 0, 127)), (128, 128, 128)),
    "grey": (made(mode="L", colour=99), (99, 99, 99)),
    "sixteen bits of grey": (written(GREY16, "PNG"), (128, 128, 128)),
    "a palette": (written(PALETTE, "PNG"), RED),
    "a palette with one transparent colour": (written(PALETTE, "PNG", transparency=1), (255, 255, 255)),
    "half-transparent black": (made("PNG", mode="RGBA", colour=(0, 0, 0, 128)), (127, 127, 127)),
    "half-transparent grey": (made("PNG", mode="LA", colour=(0, 128)), (127, 127, 127)),
    "one transparent colour": (made("PNG", transparency=RED), (255, 255, 255)),
}


@pytest.mark.parametrize("what", MODES)
def test_every_kind_of_pixel_becomes_an_opaque_colour(what):
    data, colour = MODES[what]
    found = largest(data).getpixel((200, 150))
    assert near(found, colour), found


def test_a_camera_s_file_of_two_pictures_is_its_first_one():
    second = Image.new("RGB", (400, 300), BLUE)
    data = written(Image.new("RGB", (400, 300), RED), "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert near(largest(data).getpixel((9, 9)), RED)


def test_the_same_pixels_have_the_same_name_and_others_another():
    first = pictures.prepare(made("PNG")).digest
    assert first == pictures.prepare(made("PNG", exif=samples.told_about().tobytes()[:6])).digest
    others = [made("PNG", colour=BLUE), made("PNG", size=(600, 400)), made("PNG", size=(400, 600))]
    assert len({first, *(pictures.prepare(each).digest for each in others)}) == 4
    assert len(first) == 32
