"""/healthz and the staff's page say what works, what does not, and what to do; nothing in them is personal."""

import json
import os
import time
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from backcare.core import encryption
from backcare.core.encryption import new_key
from backcare.ops import health, soundness
from backcare.ops.backups import making
from backcare.ops.checks import NETWORK_FILE_SYSTEMS, durability, file_system
from enquiries.models import LastPurge, OutgoingMessage, WorkerHeartbeat
from tests.conftest import consultation
from tests.support.desk import person
from tests.support.html import text, tree
from tests.support.keys import compare_again
from tests.support.outbox import age

pytestmark = pytest.mark.django_db

PARTS = {"database", "integrity", "forms", "migrations", "keys", "mail_worker", "mail_queue", "disk", "purge"}
PARTS |= {"backup", "offsite"}


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.MIN_DISK_MB = settings.MIN_DISK_PERCENT = 0  # whatever this machine has


def seen(ago: timedelta = timedelta(0)) -> None:
    WorkerHeartbeat.objects.update_or_create(name="worker", defaults={"seen_at": timezone.now() - ago})


def asked(client) -> tuple[int, dict]:
    answer = client.get(reverse("healthz"))
    assert "no-cache" in answer["Cache-Control"]
    return answer.status_code, answer.json()


def page(client) -> str:
    response = client.get(reverse("admin:health"))
    assert response.status_code == 200
    return text(next(each for each in tree(response).iter("div") if each.get("id") == "content-main"))


def alarm(client) -> str:
    """The red line on the first page of the desk."""
    found = [each for each in tree(client.get(reverse("admin:index"))).iter("div") if each.get("role") == "alert"]
    return " ".join(text(each) for each in found)


def test_a_plain_local_run_is_well_without_any_backup(client):
    seen()
    status, words = asked(client)
    assert status == 200
    assert words == {
        "status": "ok",
        **dict.fromkeys(PARTS, "ok"),
        "purge": "not yet",
        "integrity": "not yet",
        "backup": "not set up",
        "offsite": "not set up",
    }


def set_up_whole(settings) -> None:
    settings.EMAIL_URL = "smtp+tls://mail.example.com"
    note = {"at": timezone.now().isoformat(), "file": "x"}
    Path(settings.DATA_DIR, "last-backup.json").write_text(json.dumps(note))
    settings.BACKUP_HOOK = "true"
    Path(settings.DATA_DIR, "last-offsite.json").write_text(json.dumps(note | {"failed": None}))


def test_a_well_site_says_so_to_staff_in_one_sentence_a_part(staff_client, settings):
    seen()
    set_up_whole(settings)
    told = page(staff_client)
    assert "Yes. There is nothing to do." in told
    assert "What to do" not in told
    assert (
        told.count(" fine ") == len(PARTS) - 2 and told.count(" not yet ") == 2
    )  # nothing was purged or checked so far
    assert alarm(staff_client) == ""


@pytest.mark.parametrize("local", [True, False])
def test_what_was_never_set_up_is_said_to_staff_and_wakes_nobody(client, staff_client, settings, local):
    seen()
    settings.LOCAL, settings.EMAIL_URL = local, ""
    told = page(staff_client)
    assert "nothing to do" not in told and told.count(" not set up ") == 3
    assert "Mail is written to a folder: no mail server is set. No backups are made." in told
    assert ("What to do" not in told) == local
    assert all(f"set {name}" in told for name in ("EMAIL_URL", "BACKUP_DIR", "BACKUP_HOOK")) != local
    assert asked(client)[0] == 200 and asked(client)[1]["status"] == "ok"


@pytest.mark.parametrize("role", ["clinician", "editor", "reception"])
def test_every_role_may_see_the_page_and_finds_it_from_the_first(client, settings, role):
    set_up_whole(settings)
    client.force_login(person("Kit", role))
    seen()
    links = [each.get("href") for each in tree(client.get(reverse("admin:index"))).iter("a")]
    assert reverse("admin:health") in links
    assert "nothing to do" in page(client)


def test_who_is_not_staff_does_not_see_the_page(client):
    assert client.get(reverse("admin:health")).status_code == 302
    client.force_login(User.objects.create_user("kim", password="a long demo password"))
    assert client.get(reverse("admin:health")).status_code == 302


@pytest.mark.parametrize(("ago", "word"), [(None, "never seen"), (16, "silent"), (-60, "silent"), (14, "ok")])
def test_a_silent_worker_is_red_for_the_monitor_and_on_the_first_page(client, staff_client, ago, word):
    """F19. A heartbeat in the future is a clock that was put back, and says nothing about now."""
    if ago is not None:
        seen(timedelta(minutes=ago))
    status, words = asked(client)
    assert (words["mail_worker"], status) == (word, 200 if word == "ok" else 503)
    assert ("Emails are not being sent" in alarm(staff_client)) == (word != "ok")
    assert ("restart the mail worker" in page(staff_client)) == (word != "ok")


@pytest.mark.long
def test_mail_that_waits_too_long_is_red_and_mail_meant_for_later_is_not(client, staff_client):
    seen()
    enquiry = consultation(email="kestrel@example.com", name="Quillfeather")
    OutgoingMessage.objects.update(
        created_at=timezone.now() - timedelta(hours=9), next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    assert asked(client)[1]["mail_queue"] == "ok"
    age(enquiry, timedelta(minutes=16))
    OutgoingMessage.objects.update(attempts=2)
    status, words = asked(client)
    assert (status, words["status"], words["mail_queue"]) == (503, "trouble", "late")
    assert "2 emails should have been sent" in page(staff_client)
    everything = json.dumps(words) + page(staff_client) + alarm(staff_client)
    assert not [word for word in ("kestrel", "Quillfeather", enquiry.reference, "@") if word in everything]


def test_too_little_room_asks_for_attention_and_leaves_the_site_in_service(client, staff_client, settings, monkeypatch):
    seen()
    free = os.statvfs(settings.DATA_DIR).f_bavail * os.statvfs(settings.DATA_DIR).f_frsize
    for changes in ({"MIN_DISK_MB": free // 1_000_000 * 2}, {"MIN_DISK_PERCENT": 100, "MIN_DISK_MB": 0}):
        for name, value in changes.items():
            setattr(settings, name, value)
        status, words = asked(client)
        assert (status, words["status"], words["disk"]) == (200, "attention", "low")
    assert "The disk is nearly full" in page(staff_client)


@pytest.mark.parametrize(("ago", "word", "status"), [(24, "ok", "ok"), (26, "late", "attention")])
def test_a_purge_that_stopped_asks_for_attention(client, ago, word, status):
    seen()
    LastPurge.objects.update_or_create(pk=1, defaults={"at": timezone.now() - timedelta(hours=ago)})
    code, words = asked(client)
    assert (code, words["purge"], words["status"]) == (200, word, status)


def test_backups_that_were_set_up_and_stopped_ask_for_attention(client, staff_client, settings):
    seen()
    settings.BACKUPS_EXPECTED = True
    assert asked(client)[1]["backup"] == "never made"
    settings.BACKUPS_EXPECTED = False
    note = Path(settings.DATA_DIR, "last-backup.json")
    for hours, word in ((25, "ok"), (27, "late")):
        note.write_text(json.dumps({"at": (timezone.now() - timedelta(hours=hours)).isoformat(), "file": "x"}))
        status, words = asked(client)
        assert (status, words["backup"]) == (200, word)
    assert "run manage.py backup" in page(staff_client)
    note.write_text("{half")
    assert making.last() is None


def test_a_refused_form_is_red_until_one_is_kept(client, staff_client):
    seen()
    soundness.form_was_refused()
    status, words = asked(client)
    assert (status, words["forms"]) == (503, "refused")
    assert "none has been saved since" in page(staff_client)
    consultation()
    status, words = asked(client)
    assert (status, words["status"], words["forms"]) == (200, "attention", "refused")
    half_an_hour_ago = time.time() - 1800
    os.utime(soundness._refused(), (half_an_hour_ago, half_an_hour_ago))
    assert asked(client)[1]["forms"] == "ok"


def test_wrong_keys_are_red(client, settings):
    seen()
    consultation()
    compare_again()
    encryption.verify_keys()
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    status, words = asked(client)
    assert (status, words["keys"]) == (503, "wrong")
    settings.FIELD_ENCRYPTION_KEYS = []
    assert asked(client)[1]["keys"] == "wrong"


def test_a_migration_that_is_missing_is_red(client):
    seen()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    status, words = asked(client)
    assert (status, words["migrations"]) == (503, "pending")


def test_without_a_database_the_answer_comes_all_the_same(client, monkeypatch):
    def away(*arguments):
        raise health.DatabaseError("away")

    monkeypatch.setattr(connection, "ensure_connection", away)
    status, words = asked(client)
    assert (status, words) == (503, {"status": "trouble", "database": "not reachable", "disk": "ok"})


# --- F14, F23: less durability than promised is named ---

Mount = namedtuple("Mount", "place kind")


def mountinfo(*mounts: Mount) -> str:
    return "\n".join(f"36 35 98:0 / {each.place} rw - {each.kind} /dev/root rw" for each in mounts)


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(tmp_path):
    listed = tmp_path / "mountinfo"
    listed.write_text(
        mountinfo(Mount("/", "ext4"), Mount("/srv", "nfs4"), Mount("/srv/local", "xfs"), Mount("/a\\040b", "cifs"))
    )
    found = {
        path: file_system(Path(path), listed) for path in ("/var/x", "/srv/data/x", "/srv/local/x", "/a b/x", "/srvx")
    }
    assert list(found.values()) == ["ext4", "nfs4", "xfs", "cifs", "ext4"]
    assert {"nfs4", "cifs"} <= NETWORK_FILE_SYSTEMS
    assert file_system(Path("/var"), tmp_path / "none") == ""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's journal")
def test_a_database_that_is_not_in_wal_mode_is_refused(tmp_path, transactional_db):
    kept = connection.settings_dict["NAME"]
    pragmas = connection.settings_dict["OPTIONS"]["init_command"]
    connection.close()
    try:
        connection.settings_dict["NAME"] = str(tmp_path / "other.sqlite3")
        assert [found.id for found in durability(None, databases=["default"])] == []
        connection.close()
        connection.settings_dict["OPTIONS"]["init_command"] = pragmas.replace("=WAL", "=DELETE")
        assert [found.id for found in durability(None, databases=["default"])] == ["backcare.E012"]
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        connection.settings_dict["OPTIONS"]["init_command"] = pragmas
