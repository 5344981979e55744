"""Programs that tests start. None outlives the tests, whether they end by themselves, by Ctrl-C, by a kill or in a crash."""

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
    """A missing program is a failure in CI and skips the test elsewhere."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")
    if not found:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(f"{name} is not installed.")
    return found


def start_process(command, **options) -> subprocess.Popen:
    """Starts a program in the project's folder. On Linux it is told to stop as soon as the test process is gone."""
    return subprocess.Popen(command, preexec_fn=_stop_with_parent, **{"cwd": ROOT, **options})


class OnTerminal:
    """A program on a terminal of its own, and what it prints there."""

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
        except OSError:  # how Linux says that the other end is closed
            more = b""
        self.shown += more.decode(errors="replace")
        return bool(more)

    def end(self) -> str:
        """Waits for it to end. Returns everything it printed."""
        while self.read():
            pass
        os.close(self.ours)
        self.process.wait(120)
        return self.shown


def _stop_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores Ctrl-C, and so would its children
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
