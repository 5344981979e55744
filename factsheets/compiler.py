"""Runs Typst in a separate process, which ends when idle.

Typst keeps what it has read and laid out: a hundred megabytes in each process that makes PDFs, of which a site has three. Here it
lives in a child that ends when nothing was printed for IDLE seconds, and is started by the next PDF. A text so large that the
memory is gone ends the child, and not the web server.

The child is this file as a program. It knows nothing of Django, and ends with its parent.
"""

import os
import pickle
import select
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

NEEDED = {"Atkinson Hyperlegible", "Noto Sans", "Noto Sans Symbols2", "TeX Gyre Pagella"}
IDLE = 15  # seconds
JOBS = 40  # after which it is restarted, so that it does not grow


class CompileError(Exception):
    """Typst's error. `diagnostic` names the place, if known."""

    def __init__(self, text: str, diagnostic: str = ""):
        super().__init__(text)
        self.diagnostic = diagnostic


class Compiler:
    """This process's child. One PDF at a time, because a second would need the same processor."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        self.owner = 0
        self.lock = threading.Lock()

    def compile(self, files: dict[str, Path | bytes], **options: Any) -> bytes:
        """The arguments of `typst.compile`, with the fonts' folder as `fonts`. Raises CompileError."""
        job = pickle.dumps((files, options))
        with self.lock:
            for _ in range(2):  # it may have ended just now
                try:
                    done, value = self._ask(job)
                except (OSError, EOFError):
                    self.end()
                    continue
                if not done:
                    raise CompileError(*value)
                return value
        raise CompileError("Typst ended without an answer: there was perhaps too much to print.")

    def _ask(self, job: bytes) -> tuple[bool, Any]:
        if self.process is None or self.owner != os.getpid() or self.process.poll() is not None:
            self.end()
            self.process = subprocess.Popen(  # noqa: S603 - fixed command
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C must not interrupt a PDF
            )
            self.owner = os.getpid()
            # It ends by itself, and leaves nothing behind.
            threading.Thread(target=self.process.wait, daemon=True).start()
        self.process.stdin.write(job)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)  # noqa: S301 - of our own child

    def end(self) -> None:
        """Ends the child. The next PDF starts another."""
        process, self.process = self.process, None
        if process is None:
            return
        if self.owner == os.getpid():
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what it did not read any more
                pipe.close()


compiler = Compiler()


@lru_cache(maxsize=1)
def _fonts(folder: Path) -> Any:
    """Only the fonts in our folder, so that every machine prints the same. Raises RuntimeError."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    # Without fonts, Typst makes blank pages and no error. A deployment that lost the files must not give those out.
    if missing := NEEDED - set(fonts.families()):
        raise RuntimeError(f"Fonts are missing in {folder}: {', '.join(sorted(missing))}.")
    return fonts


def _print(files: dict[str, Path | bytes], options: dict[str, Any]) -> tuple[bool, Any]:
    import typst

    try:
        return True, typst.compile(files, font_paths=_fonts(options.pop("fonts")), **options)
    except RuntimeError as error:  # TypstError is one; an unreadable file raises a bare RuntimeError
        return False, (str(error), getattr(error, "diagnostic", "") or "")


def main() -> None:
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    for _ in range(JOBS):
        if not select.select([jobs], [], [], IDLE)[0]:
            return
        try:
            files, options = pickle.load(jobs)  # noqa: S301 - of our own parent
        except EOFError:
            return
        pickle.dump(_print(files, options), answers)
        answers.flush()


if __name__ == "__main__":
    main()
