"""Programs that tests start. None of them outlives the tests, whatever ends those: Ctrl-C, a kill, or a crash."""

import ctypes
import os
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
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(f"{name} is not installed.")
    return found


def start_process(command, **options) -> subprocess.Popen:
    """Starts it in the project's folder. On Linux it is asked to stop as soon as the process of the tests is gone."""
    return subprocess.Popen(command, preexec_fn=_stop_with_parent, **{"cwd": ROOT, **options})


def _stop_with_parent() -> None:
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
