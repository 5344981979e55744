"""/metrics says what the site does, to a monitor that has the token, and nothing personal."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from enquiries.models import Enquiry, MessageState, OutgoingMessage, WorkerHeartbeat
from factsheets.models import FactSheet, SheetReads
from tests.support.forms import send
from tests.support.outbox import age


def figures() -> dict[str, dict[str, float]]:
    """By name, then by label."""
    answer = Client().get("/metrics", headers={"Authorization": "Bearer a-token"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"].startswith("text/plain")
    page = answer.content.decode()
    assert "Ada" not in page
    assert "example.com" not in page
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(page):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[next(iter(sample.labels.values()), "")] = sample.value
    return found


def test_without_the_token_there_is_no_such_page(db, settings):
    settings.METRICS_TOKEN = ""
    for header in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer a-token"}):
        assert Client().get("/metrics", headers=header).status_code == 404
    settings.METRICS_TOKEN = "a-token"
    for given in ("", "Bearer another", "a-toke", "Basic a-token"):
        assert Client().get("/metrics", headers={"Authorization": given}).status_code == 404


def test_a_monitor_sees_what_waits_what_is_late_and_what_came(db, settings):
    settings.METRICS_TOKEN = "a-token"
    quiet = figures()
    assert quiet["backcare_health"]["database"] == 0
    assert quiet["backcare_health"]["mail_worker"] == 2, "It was never seen."
    assert quiet["backcare_mail_queue_age_seconds"] == {"": 0}
    assert quiet["backcare_enquiries"]["open"] == 0
    assert quiet["backcare_disk_free_bytes"][""] > 0

    WorkerHeartbeat.objects.create(name="worker", seen_at=timezone.now())
    send("question")
    send("report")
    Enquiry.objects.filter(kind="report").update(created_at=timezone.now() - timedelta(hours=2))
    for enquiry in Enquiry.objects.all():
        age(enquiry, timedelta(minutes=20))
    OutgoingMessage.objects.filter(purpose="report").update(state=MessageState.FAILED)
    SheetReads.objects.create(sheet=FactSheet.objects.get(slug="about-back-pain"), day=timezone.localdate(), count=7)
    busy = figures()
    assert busy["backcare_health"]["mail_worker"] == 0
    assert busy["backcare_mails"]["failed"] == 1
    assert busy["backcare_mails"]["waiting"] == 2
    assert 1200 <= busy["backcare_mail_queue_age_seconds"][""] < 1300
    assert busy["backcare_mail_worker_silent_seconds"][""] < 60
    assert busy["backcare_enquiries"]["open"] == 2, "The question, and the report whose mail failed."
    assert busy["backcare_enquiries_last_hour"] == {"report": 0, "consultation": 0, "question": 1}
    assert busy["backcare_enquiries_last_day"]["report"] == 1
    assert busy["backcare_sheet_reads_today"] == {"about-back-pain": 7}
