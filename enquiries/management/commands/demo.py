import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from backcare import roles
from enquiries import actions
from enquiries.models import Enquiry, Kind, Status
from factsheets.models import FactSheet

# Invented people: example.com addresses, and telephone numbers that Ofcom keeps for drama.
PATIENTS = [
    {
        "kind": Kind.CONSULTATION,
        "contact_by": ["phone"],
        "details": {
            "name": "Demo Patient Ashdown",
            "email": "ashdown@example.com",
            "phone": "+442079460018",
            "best_time": "Weekday mornings",
            "description": "An ache low in my back for about two months, worse after a day of driving.",
        },
    },
    {
        "kind": Kind.CONSULTATION,
        "contact_by": ["email", "video"],
        "details": {
            "name": "Demo Patient Brightwell",
            "email": "brightwell@example.com",
            "phone": "",
            "best_time": "",
            "description": "Stiff every morning since the spring. I would like to know which exercises are safe to start.",
        },
        "to": Status.IN_PROGRESS,
        "note": "Asked for a video call. Offered two times.",
    },
    {
        "kind": Kind.REPORT,
        "sheet": "about-back-pain",
        "details": {"name": "Demo Patient Corrigan", "email": "corrigan@example.com"},
    },
    {
        "kind": Kind.QUESTION,
        "details": {
            "name": "Demo Patient Dunmore",
            "email": "dunmore@example.com",
            "description": "Is swimming all right while my back still hurts?",
        },
    },
]


class Command(BaseCommand):
    help = "Invented enquiries and staff accounts, for a local run only. Safe to repeat."

    def handle(self, **options):
        if not settings.LOCAL:
            raise CommandError("Demo data is for a local run only (BACKCARE_LOCAL=1). Nothing was added.")
        self.accounts()
        if not Enquiry.objects.exists():
            self.enquiries()

    def accounts(self):
        roles.install()
        made = []
        for name in ("owner", "reception", "editor", "clinician"):
            if User.objects.filter(username=name).exists():
                continue
            password = secrets.token_urlsafe(12)
            if name == "owner":
                User.objects.create_superuser(
                    name, f"{name}@example.com", password, first_name="Demo", last_name="Owner"
                )
            else:
                user = User.objects.create_user(
                    name,
                    f"{name}@example.com",
                    password,
                    is_staff=True,
                    first_name="Demo",
                    last_name=name.title(),
                )
                user.groups.add(Group.objects.get(name=name))
            made.append((name, password))
        if made:
            self.stdout.write("Staff accounts, shown only this once:")
            for name, password in made:
                self.stdout.write(f"  {name:<10} {password}")

    def enquiries(self):
        staff = User.objects.get(username="reception")
        blank = {"phone": "", "best_time": "", "description": ""}
        for patient in PATIENTS:
            enquiry = actions.accept(
                kind=patient["kind"],
                details=blank | patient["details"],
                contact_by=patient.get("contact_by"),
                sheet=FactSheet.objects.filter(slug=patient.get("sheet", "")).first(),
            )
            if "to" in patient:
                actions.triage(
                    enquiry=enquiry,
                    by=staff,
                    to=patient["to"],
                    owner=staff,
                    change_owner=True,
                    note=patient["note"],
                )
        self.stdout.write(f"{len(PATIENTS)} invented enquiries are in the inbox.")
