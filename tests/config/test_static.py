"""Static files as `collectstatic` leaves them for a web server that compresses nothing itself."""

import gzip
import os
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage

from backcare.config.static import CompressorOfChanges

pytestmark = pytest.mark.once


def test_a_start_compresses_what_changed_or_was_cut_short_and_nothing_else(tmp_path):
    style = tmp_path / "site.css"
    forms = {Path(f"{style}.br"): brotli.decompress, Path(f"{style}.gz"): gzip.decompress}

    def start() -> list[bool]:
        """Which of the two forms it wrote."""
        for form in forms:
            if form.exists():
                os.utime(form, (0, 0))
        assert set(CompressorOfChanges(quiet=True).compress(str(style))) == set(map(str, forms))
        assert {decompress(form.read_bytes()) for form, decompress in forms.items()} == {style.read_bytes()}
        return [form.stat().st_mtime > 0 for form in forms]

    style.write_text("a { color: red }\n" * 50)
    assert start() == [True, True]
    assert start() == [False, False]
    style.write_text("a { color: blue }\n" * 50)
    assert start() == [True, True]
    for form in forms:
        for rest in (form.read_bytes()[:-9], b""):
            form.write_bytes(rest)
            assert start() == [True, True]


def test_the_names_that_pages_use_are_compressed_and_no_others(db):
    for name in ("css/site.css", "css/desk.css"):
        named, plain = staticfiles_storage.stored_name(name), Path(staticfiles_storage.path(name))
        whole = Path(staticfiles_storage.path(named)).read_bytes()
        assert brotli.decompress(Path(staticfiles_storage.path(f"{named}.br")).read_bytes()) == whole
        assert plain.exists() and not Path(f"{plain}.br").exists()
