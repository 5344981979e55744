"""Shows how far a long command has got, and how it stops when somebody presses Ctrl-C."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from django.core.management.base import CommandError

OVER = "\r\x1b[K"  # back to the beginning of the line, which is cleared
INTERRUPTED = 130  # the exit status that tells a shell that Ctrl-C ended a program


class Output(Protocol):
    """A command's `stdout`."""

    def isatty(self) -> bool: ...
    def write(self, words: str, *, ending: str | None = None) -> None: ...
    def flush(self) -> None: ...


class Progress:
    """One line on a terminal, overwritten each time. Without a terminal (a timer, a pipe), it writes nothing."""

    def __init__(self, out: Output, total: int = 0):
        self.out, self.total, self.watched = out, total, out.isatty()
        self.done, self.unit = 0, ""
        self.began: tuple[int, float] | None = None  # how much was done at the first update, and when that was

    def at(self, done: int, about: str = "") -> None:
        """`done` of `total` are done, and `about` says what comes next."""
        self.done = done
        if not self.watched:
            return
        now = time.monotonic()
        self.began = self.began or (done, now)
        before, since = self.began
        # Time before the first update, such as for opening a file, says nothing about the rest.
        left = (now - since) / (done - before) * (self.total - done) if done > before else 0
        parts = [f"{done:,} of {max(done, self.total):,}{self.unit}"]
        if left >= 1:
            parts.append(f"about {duration(left)} left")
        self.out.write(f"{OVER}{', '.join(parts)}{f': {about}' if about else ''}", ending="")
        self.out.flush()

    def more(self, done: int, about: str = "") -> None:
        self.at(self.done + done, about)

    def of(self, done: int, total: int) -> None:
        self.total = total
        self.at(done)

    def bytes(self, done: int, total: int) -> None:
        self.total, self.unit = total // 1_000_000, " MB"
        self.at(done // 1_000_000)

    def clear(self) -> None:
        """Before another line is written."""
        if self.watched:
            self.out.write(OVER, ending="")
            self.out.flush()

    def make_room(self, _record: logging.LogRecord) -> bool:
        """A log handler's filter that ends this line before each line of the log. It lets all of them through."""
        self.clear()
        return True


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


@contextmanager
def stoppable(progress: Progress, what_now: str) -> Iterator[None]:
    """Makes Ctrl-C end the command with a sentence about what it left, instead of a traceback.

    Meanwhile, a log on the same terminal has lines of its own.
    """
    handlers = list(logging.root.handlers)
    for handler in handlers:
        handler.addFilter(progress.make_room)
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError(f"Stopped. {what_now}", returncode=INTERRUPTED) from None
    finally:
        for handler in handlers:
            handler.removeFilter(progress.make_room)
        progress.clear()
