"""Keeps the web server and the mail worker running. `manage.py serve` becomes this once its checks are done.

A program of its own, which knows nothing of Django: all that it does is wait, and that should not take 70 MB. It is given the
commands as JSON, by name, and stops with 1 when the web server has stopped.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable

WEB = "web server"
RESTART_PAUSE = 1  # seconds
STOP_PATIENCE = 25  # seconds: gunicorn's graceful timeout, and time to finish an email
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# glibc keeps up to eight heaps for each processor, and what threads have freed stays in them: a third of a web process.
FEWER_HEAPS = {"MALLOC_ARENA_MAX": "2"}


def die_with(parent: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the child gets SIGTERM when its parent is gone, also by kill -9. Linux only; elsewhere None.

    Without it a supervisor that was killed leaves a web server that holds the port, and a mail worker that nobody stops.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here, because little is safe between fork and exec

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent had already gone
            os.kill(os.getpid(), signal.SIGTERM)

    return set_signal


def supervise(commands: dict[str, list[str]]) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    running = {name: start(command) for name, command in commands.items()}
    status = 0
    while not stopping.wait(0.2):
        for name, process in running.items():
            if process.poll() is None:
                continue
            if name == WEB:
                # Without it there is nothing to supervise, so stop, and the service manager will notice.
                say(f"The {name} stopped with {process.returncode}.")
                status = 1
                stopping.set()
                break
            say(f"The {name} stopped with {process.returncode}; starting it again.")
            time.sleep(RESTART_PAUSE)
            running[name] = start(commands[name])
    stop(running.values())
    return status


def start(command: list[str]) -> subprocess.Popen:
    # A separate group, so that Ctrl-C reaches the children once, through us and in order.
    return subprocess.Popen(  # noqa: S603 - fixed commands
        command, env=FEWER_HEAPS | os.environ, start_new_session=True, preexec_fn=die_with(os.getpid())
    )


def stop(processes: Iterable[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_PATIENCE
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(supervise(json.loads(sys.argv[1])))
