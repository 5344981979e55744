import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backcare.core import environment
from backcare.core.encryption import new_key
from backcare.ops import binding
from backcare.ops.checks import only_the_proxy_reaches_us

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments, **environment):
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=clean | environment, capture_output=True, text=True
    )


@pytest.fixture
def production(tmp_path):
    return {
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "s" * 25 + "ome-long-and-varied-Text-0123456789",
        "FIELD_ENCRYPTION_KEYS": new_key(),
        "BASE_URL": "https://back.example.com",
        "ALLOWED_HOSTS": "back.example.com",
        "EMAIL_URL": "smtp+tls://user:password@smtp.example.com:587",
        "DEFAULT_FROM_EMAIL": "clinic@example.com",
        "CLINIC_INBOX_EMAIL": "inbox@example.com",
        "CLINIC_NAME": "Example Clinic",
        "CLINIC_PHONE": "020 7946 0958",
        "CLINIC_EMAIL": "clinic@example.com",
    }


def test_a_complete_production_set_up_passes_the_deployment_check(production):
    done = manage("check", "--deploy", "--fail-level", "WARNING", **production)
    assert done.returncode == 0, done.stderr


def test_the_deployment_check_warns_of_what_stops_no_start_beside_what_does(production):
    """What is set elsewhere, or called something else now; a proxy whose callers cannot be told apart; another host."""
    changed = {"CLINIC_HOURS": "Tuesdays, 10am to 2pm", "MOST_SET_ASIDE": "7", "BEHIND_TLS_PROXY": "1"}
    done = manage("check", "--deploy", **production | changed | {"ALLOWED_HOSTS": "other.example.com"})
    assert done.returncode != 0
    assert set(re.findall(r"backcare\.E\d+", done.stderr)) == {"backcare.E004"}, done.stderr
    assert {"backcare.W002", "backcare.W004", "backcare.W007"} <= set(re.findall(r"backcare\.W\d+", done.stderr))
    assert "Rename MOST_SET_ASIDE to MAX_SET_ASIDE" in done.stderr
    assert "Set them on the desk" in done.stderr


def test_a_setting_is_read_under_its_former_name_for_one_more_version(monkeypatch):
    monkeypatch.setenv("MOST_SET_ASIDE", "7")
    assert environment.number("MAX_SET_ASIDE", default=5) == 7
    monkeypatch.setenv("MOST_SET_ASIDE", "many")
    with pytest.raises(ImproperlyConfigured, match="MOST_SET_ASIDE is “many”"):
        environment.number("MAX_SET_ASIDE", default=5)
    monkeypatch.setenv("MAX_SET_ASIDE", "9")
    assert environment.number("MAX_SET_ASIDE", default=5) == 9


@pytest.mark.parametrize(
    "wrong",
    [
        {
            "EMAIL_URL": ("", "backcare.E005"),
            "BASE_URL": ("", "backcare.E002"),
            "CLINIC_INBOX_EMAIL": ("", "backcare.E007"),
            "CLINIC_PHONE": ("", "backcare.E008"),
            "FIELD_ENCRYPTION_KEYS": ("", "backcare.E001"),
            "STAFF_SECOND_FACTOR": ("0", "backcare.E011"),
        },
        {
            "EMAIL_URL": ("smtp://user:password@smtp.example.com:25", "backcare.E006"),
            "BASE_URL": ("http://back.example.com", "backcare.E003"),
            "FIELD_ENCRYPTION_KEYS": ("1:bm90LTMyLWJ5dGVz", "backcare.E001"),
        },
    ],
    ids=["missing", "unsafe"],
)
def test_the_deployment_check_names_all_that_is_missing_at_once(production, wrong):
    done = manage("check", "--deploy", **production | {name: value for name, (value, _) in wrong.items()})
    assert done.returncode != 0
    named = set(re.findall(r"backcare\.E\d+", done.stderr))
    assert named == {code for _, code in wrong.values()}, done.stderr
    assert "bm90LTMyLWJ5dGVz" not in done.stdout + done.stderr, "A wrong key may be nearly the right one."


def test_a_plain_smtp_server_on_this_machine_and_a_proxy_that_names_its_callers_are_allowed(production):
    settings = {"EMAIL_URL": "smtp://localhost:25", "BEHIND_TLS_PROXY": "1", "TRUSTED_PROXIES": "1"}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **production | settings)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"DEBUG": "yes please"}, "DEBUG is “yes please”. Set it to 1 or 0."),
        ({"PORT": "eighty"}, "PORT is “eighty”"),
        ({"PORT": "70000"}, "from 1 to 65535"),
        ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE points to /nowhere/key"),
        ({"BACKCARE_LOCAL": "maybe"}, "BACKCARE_LOCAL is “maybe”"),
        ({"DATABASE_URL": "mongodb://example"}, "DATABASE_URL"),
        ({"EMAIL_URL": "carrier-pigeon://example"}, "EMAIL_URL"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_with_one_sentence(production, changes, sentence):
    done = manage("check", **production | changes)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_local_run_makes_its_own_secrets_and_keeps_them(tmp_path):
    first = manage("check", BACKCARE_LOCAL="1", DATA_DIR=str(tmp_path))
    assert first.returncode == 0, first.stderr
    kept = {name: (tmp_path / name).read_text() for name in ("secret_key", "encryption_key")}
    manage("check", BACKCARE_LOCAL="1", DATA_DIR=str(tmp_path))
    assert kept == {name: (tmp_path / name).read_text() for name in kept}
    assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in kept)


def test_a_folder_that_cannot_be_written_stops_with_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    done = manage("prepare", BACKCARE_LOCAL="1", DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.returncode != 0
    assert "cannot be written. Set DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_data_is_refused_outside_a_local_run(production):
    done = manage("demo", **production)
    assert done.returncode != 0
    assert "Demo data is for a local run only" in done.stderr


@pytest.mark.django_db
def test_less_durability_than_promised_is_refused(production, tmp_path):
    from django.db import connection

    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone()[0] == "on"
        return
    program = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from backcare.ops.checks import durability\n"
        "assert durability(None, databases=['default']) == [] or "
        "[c.id for c in durability(None, databases=['default'])] == ['backcare.W001']\n"
        "connection.cursor().execute('PRAGMA synchronous=NORMAL')\n"
        "print([c.id for c in durability(None, databases=['default'])][0])\n"
    )
    environment = production | {"DJANGO_SETTINGS_MODULE": "backcare.config.settings", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "backcare.E009", done.stderr


def test_only_the_proxy_reaches_the_web_server(settings, monkeypatch):
    """Around it, one would write the address that limits count by, and speak plain http that is taken for https."""
    monkeypatch.setattr(binding, "in_container", lambda *_: False)
    assert binding.address({}) == "127.0.0.1:8000"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    public = (
        "0.0.0.0:8000",
        "[::]:8000",
        ":8000",
        "back.example.com",
        "9.9.9.9",
        "127.0.0.1:8000,8.8.8.8:80",
        "x:y",
    )
    private = ("127.0.0.1:8000", "[::1]:80", "localhost:9", "10.0.0.5:8000", "unix:/run/backcare.sock", "fd://3")
    for bind in (*public, *private):
        monkeypatch.setenv("BIND", bind)
        monkeypatch.delenv("BACKCARE_LOCAL", raising=False)
        assert [found.id for found in only_the_proxy_reaches_us(None)] == ["backcare.E013"] * (bind in public), bind
    settings.SECURE_PROXY_SSL_HEADER = None
    monkeypatch.setenv("BIND", "0.0.0.0:8000")
    assert only_the_proxy_reaches_us(None) == []


def test_a_container_listens_to_its_own_network_and_nothing_else_does(tmp_path):
    nowhere = (tmp_path / "mark",)
    assert not binding.in_container({}, nowhere)
    assert binding.in_container({"container": "podman"}, nowhere)
    nowhere[0].touch()
    assert binding.in_container({}, nowhere)
