from datetime import timedelta
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backcare.core.progress import Progress, stoppable
from factsheets import link_check
from factsheets.models import LinkOutcome


class Command(BaseCommand):
    help = (
        "Checks whether the links of sources and texts still work. It needs the internet. "
        "Stop it with Ctrl+C at any time: the next run continues where it stopped."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=float, default=7, help="Skip links checked within this many days (7).")
        parser.add_argument("--pause", type=float, default=2, help="Seconds before the same host is asked again (2).")
        parser.add_argument("--limit", type=int, help="Stop after this many addresses.")

    def handle(self, *, days, pause, limit, verbosity, **options):
        sources = link_check.due(before=timezone.now() - timedelta(days=days))[:limit]
        if not sources:
            self.stdout.write(f"Every link was checked within {days:g} days.")
            return
        if not link_check.is_online(sources):
            raise CommandError("No host name could be resolved. Is this machine on the internet? Nothing was recorded.")
        asker, found, progress = link_check.Asker(pause), [], Progress(self.stdout, len(sources))
        with stoppable(progress, "Results so far are kept. Run check_links again for the others."):
            for source in sources:
                progress.at(len(found), urlsplit(source.address).netloc)
                link = link_check.check(source, asker)
                found.append(link)
                if link.outcome != LinkOutcome.FINE or verbosity > 1:
                    progress.clear()
                    self._line(source, link)
        fine = sum(link.outcome == LinkOutcome.FINE for link in found)
        self.stdout.write(
            f"Links: {len(found)} checked, {fine} as they should be. "
            "What to do about the others is on the desk, under Sources, “Check of the links”."
        )

    def _line(self, source, link) -> None:
        more = link.fault or (f"now at {link.moved_to}" if link.moved_to else "")
        self.stdout.write(
            f"  {source.key}: {link.get_outcome_display()}{f'. {more}' if more else ''} ({source.address})"
        )
