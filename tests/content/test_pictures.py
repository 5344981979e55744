"""Reading a picture that somebody uploads: what is refused, with which sentence, and what is left of what is taken."""

import io
import json
import re
import subprocess
import sys

import pytest
from PIL import Image, ImageCms, ImageOps

from factsheets import pictures, reencode
from tests import pictures as samples
from tests.pictures import BLUE, RED, SECRET, made, png, swelling, two_colours, written

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF"]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 400"><rect width="500" height="400"/>%s</svg>'
NO_PICTURE, DAMAGED, PIXELS = "not a picture that we can read", "damaged or not complete", "more than 40 million pixels"
REFUSED = {
    "a text with another name": (b"Dear editor, this is my photo. " * 40, NO_PICTURE),
    "a page": (b"<!doctype html><title>x</title><script>alert(1)</script>", NO_PICTURE),
    "nothing": (b"", NO_PICTURE),
    "noise": (bytes(range(256)) * 40, NO_PICTURE),
    "an SVG": (SVG % b"", "An SVG file can hold programs"),
    "an SVG with a script": (SVG % b"<script>alert(1)</script>", "An SVG file can hold programs"),
    "an SVG behind a long start": (b'<?xml version="1.0"?>' + b"<!-- -->" * 500 + SVG % b"", "An SVG file can hold"),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "This is a PDF"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 500 400\n(x) run\n", NO_PICTURE),
    "a Photoshop file": (b"8BPS\x00\x01" + bytes(100), NO_PICTURE),
    "an iPhone's photo": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100), "This is an HEIC photo"),
    "a TIFF": (made("TIFF"), NO_PICTURE),
    "a BMP": (made("BMP"), NO_PICTURE),
    "a JPEG 2000": (made("JPEG2000"), NO_PICTURE),
    "an icon": (made("ICO"), NO_PICTURE),
    **{f"half a {name}": (samples.telling(name)[:-400], DAMAGED) for name in FORMATS},
    **{f"a moving {name}": (samples.moving(name), "The picture moves") for name in ("GIF", "PNG", "WEBP", "AVIF")},
    "too many pixels": (made("PNG", size=(10_000, 4_001), mode="1", colour=1), PIXELS),
    "a bomb that says so": (made("PNG", size=(12_000, 12_000), mode="1", colour=1), PIXELS),
    "a PNG that only says so": (png(size=(60_000, 60_000)), PIXELS),
    "a WebP that only says so": (samples.webp_of(16_000, 16_000), PIXELS),
    "a WebP a little too large": (samples.webp_of(8_000, 8_000), PIXELS),
    "a GIF that says two sizes": (samples.gif_of_another_size(), PIXELS),
    "fewer pixels than it says": (png(size=(2_000, 2_000)), DAMAGED),
    "text that swells": (png(swelling()), DAMAGED),
    "text that swells after the pixels": (png(swelling(), after=True), DAMAGED),
    "international text that swells": (png((b"iTXt", b"n\x00\x01\x00\x00\x00" + swelling()[1][6:])), DAMAGED),
    "a colour profile that swells": (png(swelling(b"iCCP")), DAMAGED),
    "too narrow": (made(size=(399, 600)), "The picture is 399 pixels wide"),
    "narrow once it is upright": (made(size=(600, 399), exif=samples.told_about()), "The picture is 399 pixels wide"),
    "a strip": (made("PNG", size=(400, 1_300)), "too long and narrow"),
    "another strip": (made("PNG", size=(2_000, 600)), "too long and narrow"),
    "too many bytes": (bytes(pictures.MOST_BYTES + 1), "larger than 10 MB"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_a_sentence(what):
    data, words = REFUSED[what]
    with pytest.raises(pictures.PictureRefused, match=words) as refused:
        pictures.prepare(data)
    said = str(refused.value)
    assert said[0].isupper()
    assert said.endswith(".")
    for word in ("Error", "Traceback", "PIL", "0x", "None"):
        assert word not in said


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_taken_and_becomes_three_others(format):
    found = pictures.prepare(made(format, size=(450, 300)))
    assert (found.width, found.height) == (450, 300)
    assert [(width, name) for width, name, _ in found.files] == [
        (width, name) for width in (400, 450) for name in ("avif", "webp", "jpg")
    ]
    for width, name, data in found.files:
        picture = Image.open(io.BytesIO(data))
        assert picture.format == {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG"}[name]
        assert picture.size == (width, round(300 * width / 450))
        assert near(picture.convert("RGB").getpixel((width // 2, 100)), RED)


def near(colour, wanted, off: int = 8) -> bool:
    return all(abs(one - other) <= off for one, other in zip(colour, wanted, strict=True))


def largest(data: bytes, format: str = "webp") -> Image.Image:
    """What readers get of the picture, in its largest size."""
    _, _, written = [each for each in reencode.reencode(data)["files"] if each[1] == format][-1]
    return Image.open(io.BytesIO(written)).convert("RGB")


@pytest.mark.parametrize("width, widths", [(400, [400]), (401, [400, 401]), (1300, [400, 800, 1200])])
def test_nothing_is_enlarged_and_nothing_is_wider_than_a_screen_needs(width, widths):
    found = reencode.reencode(made("PNG", size=(width, width // 2)))
    assert [each[0] for each in found["files"] if each[1] == "jpg"] == widths
    assert found["width"] == widths[-1]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_but_the_pixels_is_left(format):
    data = samples.telling(format)
    assert format in {"GIF"} or SECRET.encode() in data
    for width, name, written_anew in reencode.reencode(data)["files"]:
        picture = Image.open(io.BytesIO(written_anew))
        picture.load()
        assert not dict(picture.getexif()), (width, name)
        assert not {"exif", "xmp", "icc_profile", "comment", "photoshop", "XML:com.adobe.xmp"} & set(picture.info)
        for trace in (SECRET, "xmpmeta", "ICC_PROFILE", "sRGB built-in", "Photoshop"):
            assert trace.encode() not in written_anew, (width, name, trace)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_taken_on_its_side_stands_upright(orientation):
    exif = Image.Exif()
    exif[reencode.ORIENTATION] = orientation
    data = written(two_colours(), "JPEG", exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    found = largest(data)
    assert found.size == upright.size
    for x, y in ((20, 20), (20, -20), (-20, 20), (-20, -20)):
        place = x % found.width, y % found.height
        assert near(found.getpixel(place), upright.getpixel(place), 20), (orientation, place)


@pytest.mark.parametrize("exif", [b"Exif\x00\x00nonsense", b"Exif\x00\x00MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00"])
def test_a_photo_whose_notes_are_broken_is_taken_as_it_lies(exif):
    found = pictures.prepare(made(exif=exif))
    assert (found.width, found.height) == (400, 300)


def test_colours_of_another_profile_become_those_of_every_screen():
    green = (30, 200, 30)
    assert near(largest(made(icc_profile=samples.profile())).getpixel((9, 9)), RED)
    swapped = made("PNG", icc_profile=samples.profile(swapped=True))
    assert near(
        ImageCms.profileToProfile(
            Image.new("RGB", (1, 1), RED), io.BytesIO(samples.profile(swapped=True)), ImageCms.createProfile("sRGB")
        ).getpixel((0, 0)),
        green,
        40,
    ), "The profile of the test itself changes nothing."
    found = largest(swapped).getpixel((9, 9))
    assert found[1] > 150 > 100 > found[0]


def test_a_profile_that_is_nonsense_or_of_another_kind_is_left_out():
    for data in (
        made(icc_profile=b"nonsense"),
        made(mode="CMYK", colour=(0, 255, 255, 0), icc_profile=samples.profile()),
    ):
        red, green, blue = largest(data).getpixel((9, 9))
        assert red > 150 > 100 > max(green, blue)


GREY16 = Image.new("I;16", (400, 300), 0x8080)
PALETTE = Image.new("P", (400, 300), 1)
PALETTE.putpalette([*BLUE, *RED])
MODES = {
    "CMYK": (made(mode="CMYK", colour=(0, 0, 0, 127)), (128, 128, 128)),
    "grey": (made(mode="L", colour=99), (99, 99, 99)),
    "sixteen bits of grey": (written(GREY16, "PNG"), (128, 128, 128)),
    "black and white": (made("PNG", mode="1", colour=1), (255, 255, 255)),
    "a palette": (written(PALETTE, "PNG"), RED),
    "a palette with one transparent colour": (written(PALETTE, "PNG", transparency=1), (255, 255, 255)),
    "a palette with half-transparent colours": (
        written(PALETTE, "PNG", transparency=bytes([255, 128])),
        tuple(round((each * 128 + 255 * 127) / 255) for each in RED),
    ),
    "a GIF with a transparent colour": (written(PALETTE, "GIF", transparency=1), (255, 255, 255)),
    "half-transparent black": (made("PNG", mode="RGBA", colour=(0, 0, 0, 128)), (127, 127, 127)),
    "half-transparent grey": (made("PNG", mode="LA", colour=(0, 128)), (127, 127, 127)),
    "one transparent colour": (made("PNG", transparency=RED), (255, 255, 255)),
    "one transparent grey": (made("PNG", mode="L", colour=7, transparency=7), (255, 255, 255)),
    "sixteen bits and a transparent grey": (written(GREY16, "PNG", transparency=0), (128, 128, 128)),
    "a transparent WebP": (made("WEBP", mode="RGBA", colour=(0, 0, 0, 0)), (255, 255, 255)),
    "a transparent AVIF": (made("AVIF", mode="RGBA", colour=(0, 0, 0, 0)), (255, 255, 255)),
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


def test_what_is_hidden_behind_or_inside_a_good_picture_is_left_behind():
    script = b"<script>alert(1)</script>"
    gif = bytearray(made("GIF", comment=b"*/=1;" + script))
    zipped = made("PNG") + b"PK\x03\x04" + script
    for data in (made() + script, zipped, bytes(gif), made(comment=script), png((b"tEXt", b"x\x00" + script))):
        assert script in data
        for _, _, written_anew in reencode.reencode(data)["files"]:
            assert b"script" not in written_anew
            assert b"PK" + b"\x03\x04" not in written_anew


def test_the_same_pixels_have_the_same_name_and_others_another():
    first = reencode.reencode(made("PNG"))["digest"]
    assert first == reencode.reencode(made("PNG", exif=samples.told_about().tobytes()[:6]))["digest"]
    others = [made("PNG", colour=BLUE), made("PNG", size=(600, 400)), made("PNG", size=(400, 600))]
    assert len({first, *(reencode.reencode(each)["digest"] for each in others)}) == 4
    assert len(first) == 32


# --- the process that reads ---


def reader(code: str, data: bytes = b"", **options) -> subprocess.CompletedProcess:
    program = f"import runpy; reader = runpy.run_path({str(pictures.READER)!r}, run_name='reader'); {code}"
    return subprocess.run(
        [sys.executable, "-I", "-c", program], input=data, capture_output=True, check=False, **options
    )


def test_the_reader_may_not_take_more_memory_than_it_says():
    ended = reader("reader['main'](); bytearray(reader['MEMORY'])")
    assert json.loads(ended.stdout)["refused"]
    assert ended.returncode == 1
    assert b"MemoryError" in ended.stderr
    assert reencode.MEMORY <= 1_000_000_000


def test_an_avif_that_holds_more_than_it_says_stays_within_the_reader_s_memory():
    # Not getrusage: a process inherits the peak of the one that started it, here of the whole suite.
    code = "reader['main'](); import sys; sys.stderr.write(open('/proc/self/status').read())"
    ended = reader(code, samples.avif_of_another_size())
    assert ended.returncode == 0
    [peak] = re.findall(rb"VmHWM:\s+(\d+) kB", ended.stderr)
    assert int(peak) * 1024 < reencode.MEMORY


def stand_in(tmp_path, monkeypatch, program: str) -> None:
    path = tmp_path / "reader.py"
    path.write_text(program)
    monkeypatch.setattr(pictures, "READER", path)


def test_a_reader_that_crashes_is_a_refusal(tmp_path, monkeypatch, caplog):
    stand_in(tmp_path, monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(pictures.PictureRefused, match="could not be read"):
        pictures.prepare(made())
    assert "ended with -11" in caplog.text


def test_a_reader_that_never_ends_is_stopped(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(pictures, "MOST_SECONDS", 0.2)
    with pytest.raises(pictures.PictureRefused, match="could not be read"):
        pictures.prepare(made())


def test_a_reader_that_cannot_start_is_a_sentence_too(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(pictures.PictureRefused, match="Try again in a minute"):
        pictures.prepare(made())


def test_the_reader_knows_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", SECRET)
    program = (
        "import os, json, sys; print(json.dumps({'refused': ' '.join(os.environ) + ' '.join(os.environ.values())}))"
    )
    stand_in(tmp_path, monkeypatch, program)
    with pytest.raises(pictures.PictureRefused) as told:
        pictures.prepare(made())
    assert "PATH" in str(told.value)
    for name in ("SECRET", "DATABASE", "FIELD_ENCRYPTION", "DATA_DIR", SECRET):
        assert name not in str(told.value)
