import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from factsheets import link_check
from factsheets.models import LinkOutcome


class Command(BaseCommand):
    help = (
        "Asks whether the links of the sources still lead somewhere. It needs the internet. "
        "Stop it with Ctrl+C whenever you like: the next run goes on where it stopped."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=float, default=7, help="Leave out what was asked within so many days (7).")
        parser.add_argument("--pause", type=float, default=2, help="Seconds before the same host is asked again (2).")
        parser.add_argument("--limit", type=int, help="Ask for so many addresses, and stop.")

    def handle(self, *, days, pause, limit, verbosity, **options):
        sources = link_check.due(before=timezone.now() - timedelta(days=days))[:limit]
        if not sources:
            self.stdout.write(f"Every link was checked within {days:g} days.")
            return
        if not link_check.is_online(sources):
            raise CommandError("No host is known. Is this machine on the internet? Nothing has been noted.")
        asker, started, found = link_check.Asker(pause), time.monotonic(), []
        try:
            for number, source in enumerate(sources, start=1):
                self._progress(number, len(sources), started, source)
                link = link_check.check(source, asker)
                found.append(link)
                if link.outcome != LinkOutcome.FINE or verbosity > 1:
                    self._line(source, link)
        except KeyboardInterrupt:
            self._clear()
            self.stdout.write(f"Stopped after {len(found)} of {len(sources)}. Run it again for the others.")
            return
        self._clear()
        fine = sum(link.outcome == LinkOutcome.FINE for link in found)
        self.stdout.write(
            f"Links: {len(found)} checked, {fine} as they should be. "
            "What to do about the others is on the desk, under Sources, “Check of the links”."
        )

    def _progress(self, number: int, of: int, started: float, source) -> None:
        """One line that is written over, and only on a terminal."""
        if not self.stdout.isatty():
            return
        left = (time.monotonic() - started) / (number - 1) * (of - number + 1) if number > 1 else 0
        about = f", about {max(1, round(left / 60))} min left" if left else ""
        self.stdout.write(f"\r\x1b[K{number} of {of}{about}: {urlsplit(source.address).netloc}", ending="")
        self.stdout.flush()

    def _clear(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("\r\x1b[K", ending="")

    def _line(self, source, link) -> None:
        self._clear()
        more = link.fault or (f"now at {link.moved_to}" if link.moved_to else "")
        self.stdout.write(
            f"  {source.key}: {link.get_outcome_display()}{f'. {more}' if more else ''} ({source.address})"
        )
