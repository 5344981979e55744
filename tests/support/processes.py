"""Programs that tests start. None of them outlives the tests, whatever ends those: Ctrl-C, a kill, or a crash."""

import ctypes
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def program(name: str) -> str:
    """Where CI has not installed it, that is a failure there and a skipped test elsewhere."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")
    if not found:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(f"{name} is not installed.")
    return found


def start_process(command, **options) -> subprocess.Popen:
    """Starts it in the project's folder. On Linux it is asked to stop as soon as the process of the tests is gone."""
    return subprocess.Popen(command, preexec_fn=_stop_with_parent, **{"cwd": ROOT, **options})


class OnTerminal:
    """A program on a terminal of its own, with what it shows there."""

    def __init__(self, command, **options):
        self.ours, theirs = pty.openpty()
        self.process = start_process(command, stdin=theirs, stdout=theirs, stderr=theirs, **options)
        os.close(theirs)
        self.shown = ""

    def wait_for(self, pattern: str) -> None:
        while not re.search(pattern, self.shown):
            assert self.read(), f"It ended before it showed {pattern}: {self.shown}"

    def read(self) -> bool:
        try:
            more = os.read(self.ours, 4096)
        except OSError:  # as Linux says that nobody has the other end
            more = b""
        self.shown += more.decode(errors="replace")
        return bool(more)

    def end(self) -> str:
        """Waits for its end. Everything that it showed."""
        while self.read():
            pass
        os.close(self.ours)
        self.process.wait(120)
        return self.shown


def _stop_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores Ctrl-C, and would hand that on
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
