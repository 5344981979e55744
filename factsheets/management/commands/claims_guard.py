import sys

from django.core.management.base import BaseCommand

from factsheets.claims_guard import findings
from factsheets.models import FactSheet


class Command(BaseCommand):
    help = (
        "Lists wording in published sheets that advertising rules or the claim ledger forbid. Fails when there is any."
    )

    def handle(self, **options):
        count = 0
        for sheet in FactSheet.objects.published():
            for found in findings(sheet.document):
                count += 1
                self.stdout.write(f"{sheet.slug}, {found.section}: “{found.sentence}”\n  {found.rule}")
        self.stdout.write(f"{count} found.")
        if count:
            sys.exit(1)
