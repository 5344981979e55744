"""A ZIP of content uploaded to the desk, kept until the person has read what it would change."""

import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factsheets.content_export import FOLDER
from factsheets.fixtures import PICTURES, ContentError
from factsheets.models import ContentUpload

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 60 * 1024 * 1024  # bytes
MAX_FILES = 3000
# In whatever folder the files are: some programs pack one around them.
FILE = re.compile(rf"(?:.*/)?(?P<path>sheets/[-\w]+\.yaml|{PICTURES}/[-.\w]+|[-\w]+\.yaml)\Z", re.ASCII)
# What computers add on their own.
LITTER = re.compile(r"(?:.*/)?(?:__MACOSX/.*|\.[^/]*|Thumbs\.db|desktop\.ini)\Z")
NOT_ONE = f"This is not a file that “Download all content” made. Choose the ZIP file whose name begins with {FOLDER}-, as it came."
DAMAGED = "The file is damaged or incomplete. Download it again from the other site, and choose the new file."
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def of(user) -> ContentUpload | None:
    return ContentUpload.objects.filter(by=user).first()


def keep(*, name: str, data: bytes, by) -> None:
    """Replaces the person's earlier upload. Raises ContentError if it is not content, damaged or too large."""
    _files(data)
    drop(by)
    ContentUpload.objects.create(by=by, name=name[:120], data=data)


def drop(user) -> None:
    ContentUpload.objects.filter(by=user).delete()


@contextmanager
def unpacked(upload: ContentUpload) -> Iterator[Path]:
    """The folder with its files, for as long as the block lasts. Raises ContentError."""
    with tempfile.TemporaryDirectory() as made:
        for name, data in _files(bytes(upload.data)).items():
            path = Path(made, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        yield Path(made)


def _files(data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_BYTES:
        raise ContentError(
            f"The file is larger than {MAX_BYTES // 1024**2} MB. Ask the person who runs the website to import it."
        )
    if not data.startswith(b"PK"):
        raise ContentError(NOT_ONE)
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [each for each in archive.infolist() if not each.is_dir() and not LITTER.fullmatch(each.filename)]
            # What they say of their size is all that is read of them.
            if len(inside) > MAX_FILES or sum(each.file_size for each in inside) > MAX_UNPACKED:
                raise ContentError("There is far more in this file than a site’s content. " + NOT_ONE)
            for each in inside:
                if not (known := FILE.fullmatch(each.filename)):
                    raise ContentError(f"“{each.filename}” in it is no file of a site’s content. {NOT_ONE}")
                found[known["path"]] = archive.read(each)
    except BROKEN as error:
        raise ContentError(DAMAGED) from error
    if not any(name.endswith(".yaml") for name in found):
        raise ContentError(NOT_ONE)
    return found
