import socket
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from backcare.ops import schema
from backcare.staff import first_steps, roles
from enquiries.actions.intake import index_missing


class Command(BaseCommand):
    help = (
        "Gets everything ready to serve: database, content, static files and, in a local run, the demo. Safe to repeat."
    )
    requires_system_checks = ["security"]

    def add_arguments(self, parser):
        parser.add_argument(
            "--empty", action="store_true", help="no demo: the first owner sets the site up in a browser"
        )

    def handle(self, **options):
        self.folder(settings.DATA_DIR)
        self.port()
        try:
            schema.verify()
        except schema.NewerDatabase as error:
            raise CommandError(str(error)) from None
        call_command("migrate", verbosity=0)
        if connection.vendor == "sqlite":
            # What patients send is in this file: nobody else on the machine reads it.
            Path(settings.DATABASES["default"]["NAME"]).chmod(0o600)
        call_command("check", databases=["default"])
        roles.install()
        if indexed := index_missing():
            self.stdout.write(f"{indexed} enquiries can now be found by name, address and number.")
        call_command("load_content", stdout=self.stdout)
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.LOCAL:
            self.folder(settings.MAIL_DIR)
            for mail in settings.MAIL_DIR.iterdir():  # from before there was a umask
                mail.chmod(0o600)
            # What was begun without the demo goes on without it, also where nobody says so again.
            if not options["empty"] and not first_steps.is_begun():
                call_command("demo", stdout=self.stdout)

    def folder(self, path: Path):
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError:
            raise CommandError(f"The folder {path} cannot be written. Set DATA_DIR to a folder that can.") from None

    def port(self):
        if not settings.LOCAL:
            return
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.PORT))
            except OSError:
                raise CommandError(
                    f"Port {settings.PORT} is in use. Stop what uses it, or choose another: make run PORT=8001"
                ) from None
