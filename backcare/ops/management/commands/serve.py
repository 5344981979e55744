import json
import logging
import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.urls import reverse

from backcare.core import encryption
from backcare.ops import schema, supervisor
from backcare.staff import first_steps

logger = logging.getLogger(__name__)

GUNICORN = ["-m", "gunicorn", "--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]


def owner_code() -> str:
    """A code for the first owner, where there is none yet. A database that is away just now is no reason to stay down."""
    try:
        return first_steps.new_owner_code()
    except Error as error:
        logger.warning("Could not check whether the site has an owner: %s", type(error).__name__)
        return ""


class Command(BaseCommand):
    help = "Runs the web server and the mail worker side by side. Ctrl-C, or SIGTERM, stops both."

    def handle(self, **options):
        try:
            schema.at_start()
            encryption.verify_keys_at_start()
        except (schema.NewerDatabase, encryption.WrongKey) as error:
            raise CommandError(str(error)) from None
        code = owner_code()
        connection.close()
        if settings.LOCAL:
            self.stdout.write(f"\nThe site is on {settings.BASE_URL} and the staff desk on {settings.BASE_URL}/admin/")
            if not settings.EMAIL_URL:
                self.stdout.write(f"Mail is written to {settings.MAIL_DIR}")
            self.stdout.write("Ctrl-C stops it.")
        if code:
            address = f"{settings.BASE_URL}{reverse('admin:first_owner')}"
            self.stdout.write(
                f"\nThis site has no owner yet. Set it up on {address}\nThe code is {code} (24 hours, once)."
            )
        self.stdout.flush()
        self.stderr.flush()
        commands = {
            supervisor.WEB: [sys.executable, *GUNICORN],
            "mail worker": [sys.executable, "manage.py", "deliver_mail"],
        }
        os.chdir(settings.BASE_DIR)
        # Gives this process, with its number, to a program that is a tenth of the size.
        program = [sys.executable, "-S", "-P", supervisor.__file__, json.dumps(commands)]
        os.execv(sys.executable, program)  # noqa: S606 - fixed commands
