import os
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from enquiries import actions
from enquiries.models import Enquiry, Kind
from factsheets.models import FactSheet, InstalledRecord
from tests.smtp import SmtpSink

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The real content and the real hashed static files, once for the suite."""
    with django_db_blocker.unblock():
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("load_content", verbosity=0, stdout=sys.stderr)


@pytest.fixture(autouse=True)
def content(request):
    """Puts the content back after a test that committed: such tests end by emptying every table."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
        if not FactSheet.objects.exists():
            InstalledRecord.objects.all().delete()
            call_command("load_content", verbosity=0, stdout=sys.stderr)


@pytest.fixture
def sheet(db):
    return FactSheet.objects.get(slug="about-back-pain")


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("sam", "sam@example.com", "a long demo password", first_name="Sam")


@pytest.fixture
def staff_client(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def smtp():
    """A real SMTP server on this machine, whose behaviour a test can change while it runs."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def mail_through(smtp, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.host, smtp.port
    settings.EMAIL_TIMEOUT = 2
    return smtp


@pytest.fixture
def child_environment(smtp, transactional_db):
    """What a process needs to work on the tests' own database and SMTP server."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        address = f"sqlite:///{name}"
    else:
        parts = connection.settings_dict
        address = f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{name}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backcare.settings",
        "DATABASE_URL": address,
        "EMAIL_URL": f"smtp://{smtp.host}:{smtp.port}",
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
        "SECRET_KEY": settings.SECRET_KEY,
    }


def consultation(**changes) -> Enquiry:
    """A consultation as a patient would send it."""
    details = {
        "name": "Ada Example",
        "email": "ada@example.com",
        "phone": "+442079460018",
        "best_time": "mornings",
        "description": "An ache low in my back for two months.",
    }
    return actions.accept(kind=Kind.CONSULTATION, details=details | changes, contact_by=["phone"])


def report(sheet, **changes) -> Enquiry:
    details = {"name": "Ada Example", "email": "ada@example.com", "phone": "", "best_time": "", "description": ""}
    return actions.accept(kind=Kind.REPORT, details=details | changes, sheet=sheet)
