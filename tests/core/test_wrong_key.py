"""A wrong or missing key is named and nothing is written with it, and a lost key can be given up."""

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import connection

from backcare.core import encryption
from backcare.core.encryption import CannotDecrypt, key_ring, new_key
from enquiries.models import Enquiry, KeyCheck
from tests.conftest import ROOT, consultation, database_environment, report
from tests.core.test_encryption import overwrite, raw
from tests.support.keys import compare_again, rotate, three_enquiries
from tests.support.smtp import free_port


@pytest.fixture
def some(db):
    return three_enquiries()


def another_with_the_same_id() -> str:
    return f"{next(iter(key_ring()))}:{base64.b64encode(os.urandom(32)).decode()}"


def an_unknown_one() -> str:
    return next(key for key in iter(new_key, None) if int(key.partition(":")[0]) not in key_ring())


@pytest.mark.parametrize("with_check_value", [True, False])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (another_with_the_same_id, "is not the key .* that this database was written with; nothing was changed"),
        (an_unknown_one, "FIELD_ENCRYPTION_KEYS lacks key .*; nothing was changed: put that key back"),
    ],
)
def test_a_wrong_key_is_named_and_writes_nothing(some, settings, wrong, says, with_check_value):
    """Also in a database from before there were check values: then what is stored tells."""
    if not with_check_value:
        KeyCheck.objects.all().delete()
    before = [raw(Enquiry, one.pk) for one in some]
    right = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [wrong()]
    compare_again()
    with pytest.raises(encryption.WrongKey, match=says):
        consultation(name="Grace Example")
    assert Enquiry.objects.count() == 3
    with pytest.raises(CommandError, match=says):
        rotate()
    settings.FIELD_ENCRYPTION_KEYS = right
    assert [raw(Enquiry, one.pk) for one in some] == before
    consultation(name="Grace Example")
    assert Enquiry.objects.count() == 4


def test_one_value_that_was_tampered_with_is_no_wrong_key(some):
    KeyCheck.objects.all().delete()
    broken = bytearray(raw(Enquiry, some[0].pk)["name"])
    broken[-1] ^= 1
    overwrite(some[0].pk, "name", bytes(broken))
    encryption.verify_keys()
    assert KeyCheck.objects.count() == 1


def test_a_lost_key_can_be_given_up_without_touching_what_it_sealed(some, settings):
    right, before = settings.FIELD_ENCRYPTION_KEYS, [raw(Enquiry, one.pk) for one in some]
    settings.FIELD_ENCRYPTION_KEYS = [an_unknown_one()]
    number = int(right[0].partition(":")[0])
    with pytest.raises(encryption.WrongKey):
        encryption.verify_keys()
    assert f"starts without key {number} now" in rotate(lost=number)
    encryption.verify_keys()
    grace = consultation(name="Grace Example")
    assert [raw(Enquiry, one.pk) for one in some] == before
    with pytest.raises(CannotDecrypt):
        Enquiry.objects.get(pk=some[0].pk).name  # noqa: B018
    # Once it is found again, it decrypts everything.
    settings.FIELD_ENCRYPTION_KEYS = [*settings.FIELD_ENCRYPTION_KEYS, *right]
    assert Enquiry.objects.get(pk=some[0].pk).name == "Ada Example0"
    assert Enquiry.objects.get(pk=grace.pk).name == "Grace Example"
    with pytest.raises(CommandError, match="so it is not lost"):
        rotate(lost=number)


@pytest.mark.parametrize("command", [["manage.py", "deliver_mail"], ["manage.py", "serve"], ["gunicorn"]])
def test_no_server_starts_with_a_wrong_key(transactional_db, command):
    compare_again()
    kept = report(sheet=the_sheet())
    environment = database_environment() | {"FIELD_ENCRYPTION_KEYS": an_unknown_one(), "PORT": str(free_port())}
    if command == ["gunicorn"]:
        command = ["-m", "gunicorn", "--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "FIELD_ENCRYPTION_KEYS lacks key" in ended.stderr
    assert "Traceback" not in ended.stderr
    with pytest.raises((urllib.error.URLError, OSError)):
        urllib.request.urlopen(f"http://127.0.0.1:{environment['PORT']}/", timeout=2)
    assert kept.messages.get().state == "waiting", "A worker that cannot read the address took the mail."


def the_sheet():
    from factsheets.models import FactSheet

    return FactSheet.objects.get(slug="about-back-pain")


@pytest.mark.parametrize("part", ["all of it", "the base64", "the bytes"])
def test_a_key_that_is_also_djangos_secret_is_refused(settings, part):
    secret = b"a secret of thirty-two letters.."
    key = f"1:{base64.b64encode(secret).decode()}"
    same = {"all of it": key, "the base64": key[2:], "the bytes": secret.decode()}
    settings.FIELD_ENCRYPTION_KEYS, settings.SECRET_KEY = [key], same[part]
    with pytest.raises(ImproperlyConfigured, match="the same as SECRET_KEY") as refused:
        key_ring()
    assert same[part] not in str(refused.value)


def test_the_check_value_gives_no_key_away(some):
    kept = KeyCheck.objects.get(pk=next(iter(key_ring())))
    secret = next(iter(key_ring().values()))
    assert secret.hex() not in kept.check_value
    assert base64.b64encode(secret).decode() not in kept.check_value
    assert connection.vendor in {"sqlite", "postgresql"}
