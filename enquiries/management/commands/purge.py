from django.core.management.base import BaseCommand
from django.utils import timezone

from enquiries import actions


class Command(BaseCommand):
    help = (
        "Erases what is kept no longer: the details of report requests, REPORT_RETENTION_DAYS after the mail that brought the "
        "report, and answers whose link has ended. The mail worker does the same every hour."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only count what would be erased.")

    def handle(self, *, dry_run, **options):
        purged = actions.purge(now=timezone.now(), dry_run=dry_run)
        words = "would be erased" if dry_run else "erased"
        self.stdout.write(f"Details of report requests {words}: {purged.reports}")
        self.stdout.write(f"Private summaries {words}: {purged.summaries}")
