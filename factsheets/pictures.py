"""Pictures that editors upload: taken or refused with a sentence, kept in the database, and thrown away when nothing shows them.

No decoder runs in this process. `factsheets.reencode` reads the picture in a process of its own, without our secrets, within
limits of memory and time; what it writes is kept, and what was uploaded is not.
"""

import json
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from django.db import transaction
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast
from django.urls import reverse

from factsheets.models import FactSheet, Figure, Picture, PictureFile

logger = logging.getLogger(__name__)

MOST_BYTES = 10 * 1024 * 1024
MOST_SECONDS = 30  # the largest picture takes three
READER = Path(__file__).with_name("reencode.py")
# Where the system looks for programs and libraries, and nothing else of ours: no secret, no database.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
TOO_LARGE = (
    f"The file is larger than {MOST_BYTES // 1024**2} MB. Save the picture as a JPEG, 1,200 pixels wide or wider."
)
UNREADABLE = "The picture could not be read. Save it again as a JPEG or PNG, and upload that."
NOT_NOW = "The site could not look at the picture just now. Try again in a minute."

# Each reader may take a gigabyte of memory.
_one_at_a_time = Lock()


class PictureRefused(Exception):  # noqa: N818 - reads as what happened
    """Why the picture is not taken, in a sentence for the editor."""


@dataclass(frozen=True)
class Prepared:
    """A picture written anew, not kept yet. `files` are (width in pixels, format, bytes)."""

    digest: str
    width: int
    height: int
    files: list[tuple[int, str, bytes]]


def prepare(data: bytes) -> Prepared:
    """The picture in every size and format, without anything but its pixels. Raises PictureRefused."""
    if len(data) > MOST_BYTES:
        raise PictureRefused(TOO_LARGE)
    with _one_at_a_time:
        answer = _read(data)
    head, _, rest = answer.partition(b"\n")
    told = json.loads(head)
    if "refused" in told:
        raise PictureRefused(told["refused"])
    files = []
    for width, name, length in told["files"]:
        files.append((width, name, rest[:length]))
        rest = rest[length:]
    return Prepared(told["digest"], told["width"], told["height"], files)


def _read(data: bytes) -> bytes:
    # -I: neither the folder it stands in nor the environment can give the reader another module than the installed ones.
    command = [sys.executable, "-I", str(READER)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            command, input=data, capture_output=True, timeout=MOST_SECONDS, env=ENVIRONMENT, check=False
        )
    except subprocess.TimeoutExpired as error:
        logger.warning("The picture reader was stopped after %s seconds", MOST_SECONDS)
        raise PictureRefused(UNREADABLE) from error
    except OSError as error:
        logger.error("The picture reader did not start: %s", type(error).__name__)
        raise PictureRefused(NOT_NOW) from error
    if ended.returncode:
        logger.warning("The picture reader ended with %s", ended.returncode)
        raise PictureRefused(UNREADABLE)
    return ended.stdout


def keep(prepared: Prepared, *, by) -> Picture:
    """The kept picture. The same pixels uploaded twice are one picture. Call it in the transaction that shows the picture."""
    with transaction.atomic():
        # Locked, so that nobody throws it away before our figure shows it.
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


def discard_unused() -> int:
    """Throws away the pictures that no figure shows any more. Returns how many.

    Editions name a figure and not its picture: an earlier edition shows what the figure shows today. So a picture that
    somebody asked us to take down is gone. Only a sheet that cannot be made anew keeps the picture of its last good text.
    """
    unused = Picture.objects.filter(~Exists(Figure.objects.filter(picture=OuterRef("pk"))))
    discarded = 0
    with transaction.atomic():
        for picture in unused.select_for_update():
            # Asked again, now that it is locked: another editor may have chosen it since.
            if not picture.figures.exists() and not _is_in_a_sheet(picture):
                picture.delete()
                discarded += 1
    return discarded


def _is_in_a_sheet(picture: Picture) -> bool:
    documents = FactSheet.objects.annotate(words=Cast("document", TextField()))
    return documents.filter(words__contains=picture.digest).exists()


def address(digest: str, width: int, format: str) -> str:
    return reverse("factsheets:picture", args=[digest, width, format])


def jpeg(digest: str) -> bytes | None:
    """The largest JPEG, for print. None when the picture is gone."""
    files = PictureFile.objects.filter(picture__digest=digest, format=PictureFile.Format.JPEG)
    data = files.order_by("-width").values_list("data", flat=True).first()
    return None if data is None else bytes(data)
