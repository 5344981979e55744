"""PDFs are made by a child process that starts when needed, and whose death affects only the PDF."""

import os
import signal
import time
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from factsheets import compiler as typst_child
from factsheets.compiler import CompileError, Compiler
from factsheets.glyphs import FONTS

pytestmark = pytest.mark.once


def words(child: Compiler, source: bytes = b"Words", fonts: Path = FONTS) -> bytes:
    return child.compile({"main.typ": source}, fonts=fonts)


def text_of(made: bytes) -> str:
    return PdfReader(BytesIO(made)).pages[0].extract_text()


@pytest.fixture
def child():
    made = Compiler()
    yield made
    made.end()


def test_the_child_is_replaced_when_it_was_killed_and_leaves_by_itself_when_nobody_prints(child, tmp_path):
    assert words(child).startswith(b"%PDF")
    first = child.process
    assert text_of(words(child)) == text_of(words(child)) == "Words"
    assert child.process is first
    with pytest.raises(CompileError) as said:
        words(child, b"#nothing-of-this-name")
    assert "nothing" in str(said.value)
    with pytest.raises(CompileError, match="Fonts are missing"):
        words(child, fonts=tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    assert words(child).startswith(b"%PDF")
    assert child.process.pid != first.pid
    # Its input closes when its parent ends.
    child.process.stdin.close()
    until = time.monotonic() + 10
    while child.process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert child.process.poll() == 0
    assert words(child).startswith(b"%PDF")


def test_a_child_that_dies_of_each_job_is_an_error_and_not_a_loop(child, monkeypatch, tmp_path):
    (program := tmp_path / "dies.py").write_text("import sys; sys.exit(1)")
    monkeypatch.setattr(typst_child, "__file__", str(program))
    with pytest.raises(CompileError, match="too much to print"):
        words(child)
