import sys

from django.core.management.base import BaseCommand

from factsheets.coverage import measure


class Command(BaseCommand):
    help = (
        "Lists the rows of the claim ledger that the sheets cover, those that are missing, and sections without a row."
    )

    def handle(self, **options):
        found = measure()
        for slug, covered in sorted(found.covered.items()):
            missing = found.missing[slug]
            self.stdout.write(f"{slug}: {len(covered)} rows covered, {len(missing)} missing")
            if missing:
                self.stdout.write(f"  missing: {', '.join(missing)}")
        for title, lines in [
            ("Rows that must not be published, but are named", found.dropped_but_used),
            ("Rows that the ledger does not have", found.unknown),
            ("Sections without a row", found.without_row),
        ]:
            self.stdout.write(f"{title}: {len(lines)}")
            for line in lines:
                self.stdout.write(f"  {line}")
        if any(found.missing.values()) or found.dropped_but_used or found.unknown:
            sys.exit(1)
