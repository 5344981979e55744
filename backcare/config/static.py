"""Static files: how they are compressed, and their headers, because they are served before the other middleware."""

import gzip
import zlib
from pathlib import Path

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

POLICY = "default-src 'none'; frame-ancestors 'none'"


def headers(headers, path, url):
    """WhiteNoise calls this once for each file, when it starts."""
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"


class Storage(CompressedManifestStaticFilesStorage):
    """Compresses what pages use and what has changed. Anything else would add seconds to each start of a new version."""

    def create_compressor(self, **options):
        return CompressorOfChanges(**options)

    def compress_files(self, paths):
        named = set(self.hashed_files.values())
        return super().compress_files([path for path in paths if path in named])


class CompressorOfChanges(Compressor):
    """Skips a file if both compressed forms match it. Checking costs a hundredth of compressing."""

    def compress(self, path):
        data = Path(path).read_bytes()
        forms = {f"{path}.br": brotli.decompress, f"{path}.gz": gzip.decompress}
        if all(_holds(Path(form), decompress, data) for form, decompress in forms.items()):
            return list(forms)
        return super().compress(path)


def _holds(form: Path, decompress, data: bytes) -> bool:
    try:
        return decompress(form.read_bytes()) == data
    except (OSError, EOFError, zlib.error, brotli.error):  # missing, or cut short when the machine stopped
        return False
