from django.core.management.base import BaseCommand
from django.utils import timezone

from backcare.core.progress import Progress, stoppable
from enquiries.actions import erasure
from enquiries.privacy import retention


class Command(BaseCommand):
    help = (
        "Erases or deletes what has passed its retention period (enquiries/privacy/retention.py, and “Clinic settings” on the "
        "desk). The mail worker does the same every hour."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only count what would be erased.")

    def handle(self, *, dry_run, **options):
        now = timezone.now()
        progress = Progress(self.stdout)
        with stoppable(progress, "What was erased is gone. Run purge again to finish."):
            if progress.watched:
                progress.total = erasure.purge(now=now, dry_run=True).total
            purged = erasure.purge(now=now, dry_run=dry_run, progress=progress.more)
        words = "would be erased" if dry_run else "erased"
        for rule in retention.RULES:
            self.stdout.write(f"{rule.label} {words}: {purged.counts[rule.name]}")
