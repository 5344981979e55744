"""Processes that end together, however the first of them ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the child gets SIGTERM when its parent is gone, also by kill -9. Linux only; elsewhere None.

    Without it a supervisor that was killed leaves a web server that holds the port, and a mail worker that nobody stops.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here: little is safe between fork and exec

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone before we asked
            os.kill(os.getpid(), signal.SIGTERM)

    return set_signal
