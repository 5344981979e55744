"""Pictures that editors upload: re-encoded by Pillow, kept in the database, and deleted when nothing shows them.

The upload itself is not kept. The stored picture has only pixels: no place, owner or comment, and nothing hidden in the file.
"""

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from django.db import transaction
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast
from django.urls import reverse
from PIL import Image, ImageCms, ImageOps

from backcare.core.models import ClinicSettingsEdition
from factsheets.models import FactSheet, Figure, Picture, PictureFile, SharedDraft, TeamMember

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
WIDTHS = [400, 800, 1200]
# The only decoders allowed. SVG, PDF, TIFF and PostScript are programs, or can contain anything.
DECODERS = ["JPEG", "PNG", "WEBP"]
ENCODERS = {
    "webp": ("WEBP", {"quality": 80, "method": 4}),
    "jpg": ("JPEG", {"quality": 82, "optimize": True, "progressive": True}),
}
BEGINS = {"webp": b"RIFF", "jpg": b"\xff\xd8"}
# What Pillow raises for invalid bytes.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
TOO_LARGE = (
    f"The file is larger than {MAX_BYTES // 1024**2} MB. Save the picture as a JPEG, 1,200 pixels wide or wider."
)
TOO_MANY_PIXELS = (
    f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Save it smaller: 1,200 wide is enough."
)
NOT_A_PICTURE = (
    "We cannot read this file as a picture. Choose a JPEG, PNG or WebP file. "
    "Save an iPhone’s HEIC photo, an SVG or a picture from a PDF as one of these first."
)
DAMAGED = "The picture is damaged or incomplete. Save it again as a JPEG or PNG and upload that."
MOVES = "The picture is animated. Upload a still one, because movement distracts readers and cannot be printed."

# The largest picture takes half a gigabyte while it is read.
_one_at_a_time = Lock()


class PictureRefused(Exception):
    """Why the picture is refused, in a sentence for the editor."""


@dataclass(frozen=True)
class Prepared:
    """A re-encoded picture that is not stored yet. `files` are (width in pixels, format, bytes)."""

    digest: str
    width: int
    height: int
    files: list[tuple[int, str, bytes]]


@dataclass(frozen=True)
class Shape:
    min_width: int  # pixels
    max_ratio: int  # times the other side


# A smaller one is blurred on a wide screen; a longer one fits neither a phone nor a printed page.
FIGURE = Shape(min_width=400, max_ratio=3)
# A logo is shown at most two lines of text high, and is often a name on one line.
LOGO = Shape(min_width=160, max_ratio=8)
MAIL_LOGO = (480, 88)  # maximum pixels, of which an email shows half as many, because phones have two to a point
MAIL_LOGO_BYTES = 16_000


def prepare(data: bytes, shape: Shape = FIGURE) -> Prepared:
    """The picture in every size and format, with nothing but its pixels. Raises PictureRefused."""
    if len(data) > MAX_BYTES:
        raise PictureRefused(TOO_LARGE)
    with _one_at_a_time:
        picture = _read(data, shape)
        files = []
        for width in [width for width in WIDTHS if width < picture.width] + [picture.width]:
            size = picture.resize((width, _height(picture, width)), Image.Resampling.LANCZOS)
            files += [(width, name, _written(size, name)) for name in ENCODERS]
    named = f"{picture.width} {picture.height} ".encode() + picture.tobytes()
    return Prepared(hashlib.sha256(named).hexdigest()[:32], picture.width, picture.height, files)


def _read(data: bytes, shape: Shape) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=DECODERS) as opened:
            return _as_shown(opened, shape)
    except Image.DecompressionBombError as error:
        raise PictureRefused(TOO_MANY_PIXELS) from error
    except Image.UnidentifiedImageError as error:
        raise PictureRefused(NOT_A_PICTURE) from error
    except UNREADABLE as error:
        raise PictureRefused(DAMAGED) from error


def _as_shown(opened: Image.Image, shape: Shape) -> Image.Image:
    """The picture upright, no wider than our widest, opaque, in sRGB, with nothing but pixels."""
    if opened.width * opened.height > MAX_PIXELS:  # what the header says, before any pixel is decoded
        raise PictureRefused(TOO_MANY_PIXELS)
    # A JPEG with several pictures (MPO) comes from a camera, and the first is the photo.
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise PictureRefused(MOVES)
    profile = opened.info.get("icc_profile")
    # A JPEG decoder can skip detail that nobody will see. It keeps at least twice the width that we write.
    opened.draft(None, (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
    picture = ImageOps.exif_transpose(opened)
    if picture.width < shape.min_width:
        raise PictureRefused(
            f"The picture is {picture.width} pixels wide. Choose one that is at least {shape.min_width} pixels wide."
        )
    if max(picture.size) > shape.max_ratio * min(picture.size):
        raise PictureRefused(
            "The picture is too long and narrow. "
            f"Crop it so that one side is no more than {shape.max_ratio} times the other."
        )
    if picture.mode.startswith("I"):
        # Sixteen bits of grey, of which a screen shows the upper eight. Pillow's own conversion would cut those off.
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    picture = _opaque_srgb(picture, profile)
    picture.thumbnail((WIDTHS[-1], FIGURE.max_ratio * WIDTHS[-1]), Image.Resampling.LANCZOS)
    # Copies only the pixels, because an image remembers comments and profiles, and writers would save them.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    return bare


def _opaque_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Puts transparent parts on white, like paper, and converts to sRGB. Ignores an unusable colour profile."""
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.new("RGB", layer.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    elif picture.mode == "P":
        picture = picture.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, *UNREADABLE):
            pass  # for another kind of picture, or invalid
    return picture.convert("RGB")


def _height(picture: Image.Image, width: int) -> int:
    return max(1, round(picture.height * width / picture.width))


def _written(picture: Image.Image, name: str) -> bytes:
    format_, options = ENCODERS[name]
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def keep(prepared: Prepared, *, by) -> Picture:
    """The stored picture. The same pixels uploaded twice are one picture. Call it in the transaction that shows the picture."""
    with transaction.atomic():
        # Locked, so that nobody deletes it before our figure shows it.
        picture, made = Picture.objects.select_for_update().get_or_create(
            digest=prepared.digest,
            defaults={"width": prepared.width, "height": prepared.height, "uploaded_by": by},
        )
        if made:
            PictureFile.objects.bulk_create(
                PictureFile(picture=picture, width=width, format=name, data=data)
                for width, name, data in prepared.files
            )
    return picture


def take_in(digest: str, files: list[tuple[int, str, bytes]]) -> None:
    """Stores the files of a picture from another installation, as (width in pixels, format, bytes).

    Raises PictureRefused if one is not what its name says.
    """
    if Picture.objects.filter(digest=digest).exists():
        return
    sizes = []
    for width, name, data in files:
        picture = _read(data, FIGURE)
        if picture.width != width or not data.startswith(BEGINS[name]):
            raise PictureRefused(f"The file of {width} pixels is not what its name says.")
        sizes.append(picture.size)
    width, height = max(sizes)
    kept = Picture.objects.create(digest=digest, width=width, height=height)
    PictureFile.objects.bulk_create(
        PictureFile(picture=kept, width=width, format=name, data=data) for width, name, data in files
    )


def discard_unused() -> int:
    """Deletes pictures that no figure or portrait shows any more and that were never a logo. Returns how many.

    Editions name a figure and not its picture: an earlier edition shows what the figure shows today. So a picture that
    somebody asked us to take down is gone. Only a sheet that cannot be built again keeps the picture of its last good text.
    The clinic's logos are kept, because an owner may put earlier settings back.
    """
    unused = Picture.objects.filter(
        ~Exists(Figure.objects.filter(picture=OuterRef("pk"))),
        ~Exists(TeamMember.objects.filter(picture=OuterRef("pk"))),
    )
    discarded = 0
    with transaction.atomic():
        for picture in unused.select_for_update():
            # Checked again now that it is locked, because another editor may have chosen it.
            is_shown = picture.figures.exists() or picture.people.exists() or _is_in_a_sheet(picture)
            is_shown = is_shown or _is_in_a_draft(picture)
            if not is_shown and not _is_logo(picture):
                picture.delete()
                discarded += 1
    return discarded


def _is_in_a_draft(picture: Picture) -> bool:
    """Of a figure, and not published or discarded yet."""
    drafts = SharedDraft.objects.filter(label=Figure._meta.label_lower, is_open=True)
    return drafts.filter(content__picture=[picture.digest]).exists()


def _is_in_a_sheet(picture: Picture) -> bool:
    documents = FactSheet.everything.annotate(words=Cast("document", TextField()))
    return documents.filter(words__contains=picture.digest).exists()


def _is_logo(picture: Picture) -> bool:
    return ClinicSettingsEdition.objects.filter(values__logo=picture.digest).exists()


def address(digest: str, width: int, format: str) -> str:
    return reverse("factsheets:picture", args=[digest, width, format])


def jpeg(digest: str) -> bytes | None:
    """The largest JPEG, for print. None if the picture has been deleted."""
    files = PictureFile.objects.filter(picture__digest=digest, format=PictureFile.Format.JPEG)
    data = files.order_by("-width").values_list("data", flat=True).first()
    return None if data is None else bytes(data)


@dataclass(frozen=True)
class MailLogo:
    data: bytes  # JPEG, of at most MAIL_LOGO_BYTES unless it is all noise
    width: int  # as shown
    height: int


def mail_logo(digest: str) -> MailLogo | None:
    """A logo small enough to go in every email. None if the picture has been deleted."""
    data = jpeg(digest)
    return None if data is None else _mail_logo(data)


@lru_cache(maxsize=2)
def _mail_logo(jpeg: bytes) -> MailLogo:
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        small = picture.convert("RGB")
    small.thumbnail(MAIL_LOGO, Image.Resampling.LANCZOS)
    for quality in (88, 70, 40):
        out = io.BytesIO()
        small.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MAIL_LOGO_BYTES:
            break
    return MailLogo(out.getvalue(), round(small.width / 2), round(small.height / 2))
