"""How far a long command says it is."""

import io

from backcare.core.progress import Progress


class Watched(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, words: str, *, ending: str | None = None) -> int:
        return super().write(words)


def test_the_time_left_is_reckoned_from_what_was_done_while_it_was_watched(monkeypatch):
    """Opening a folder took a minute; the thousand records in it take a second each hundred, and not a minute each."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    out = Watched()
    progress = Progress(out)
    for moment, done in ((60, 1), (61, 101), (62, 201)):
        now[0] = moment
        progress.of(done, 1001)
    progress.bytes(1_500_000, 4_000_000)
    shown = [line.removeprefix("\x1b[K") for line in out.getvalue().split("\r")[1:]]
    assert shown[:3] == ["1 of 1,001", "101 of 1,001, about 9 s left", "201 of 1,001, about 8 s left"]
    assert shown[3] == "1 of 4 MB"
