import logging
import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

from backcare.core.models import SetUpStep
from backcare.ops import demo
from backcare.staff import first_steps, roles
from enquiries.models import Enquiry
from factsheets.models import TeamMember


class Command(BaseCommand):
    help = "Invented enquiries and staff accounts, for a local run only. Safe to repeat."

    def handle(self, **options):
        if not settings.LOCAL:
            raise CommandError("Demo data is for a local run only (BACKCARE_LOCAL=1). Nothing was added.")
        if first_steps.is_begun():
            raise CommandError("This site is not a demo: somebody sets it up in a browser. Nothing was added.")
        roles.install()
        demo.clinic()
        passwords = self.accounts()
        owner = User.objects.get(username="owner")
        SetUpStep.done(SetUpStep.HOURS, by=owner)
        SetUpStep.done(SetUpStep.MAIL, by=owner, detail=first_steps.mail_route())
        if not Enquiry.objects.exists():
            logging.disable(logging.INFO)  # a line for each enquiry would bury what matters
            try:
                self.stdout.write(f"{demo.load()} invented enquiries are in the inbox.")
            finally:
                logging.disable(logging.NOTSET)
        if passwords:
            self.stdout.write("\nStaff accounts, shown only this once:")
            for name, password in passwords.items():
                self.stdout.write(f"  {name:<10} {password}")

    def accounts(self) -> dict[str, str]:
        """Makes those that are missing. Name to password."""
        made = {}
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
                if name == "clinician":
                    TeamMember.objects.filter(name="Ines Demo", account=None).update(account=user)
            made[name] = password
        return made
