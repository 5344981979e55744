"""The notice on every page: from its first moment to its last, on pages that were kept as well."""

import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backcare.core import clinic
from factsheets.admin.notice import WHEN
from factsheets.models import SharedDraft, SiteNotice
from tests.support.desk import errors_of, person, save, take
from tests.support.html import text, tree
from tests.support.reading import page

ADD = "/admin/factsheets/sitenotice/add/"
KEPT = ["/", "/fact-sheets/about-back-pain/", "/get-help-now/"]


def notices_on(page) -> list:
    return [each for each in page.iter("aside") if each.get("aria-label") == "Notice"]


def typed(starts: datetime, ends: datetime, **more) -> dict[str, str]:
    return {
        name: timezone.localtime(at).strftime(WHEN) for name, at in (("starts_at", starts), ("ends_at", ends))
    } | more


@pytest.mark.long
def test_an_owner_shows_a_notice_and_every_kept_page_follows_its_beginning_and_its_end(
    staff_client, client, monkeypatch, django_assert_num_queries
):
    now = timezone.now().replace(second=0, microsecond=0)
    before = {path: client.get(path).content for path in KEPT}
    notice = typed(
        now + timedelta(hours=1), now + timedelta(hours=2), text="We move on Monday, <9am & “early”.", level="important"
    )
    shown = tree(save(staff_client, ADD, **notice))
    [preview] = [each.get("href") for each in shown.iter("a") if text(each) == "Preview on the home page"]
    assert [text(each) for each in notices_on(tree(staff_client.get(preview)))] == [
        "Important: We move on Monday, <9am & “early”."
    ]
    assert not SiteNotice.objects.exists(), "Nothing is live before it is published."
    take(staff_client, SharedDraft.objects.get(), "publish")
    client.logout()

    def at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    at(now + timedelta(minutes=59))
    assert {path: client.get(path).content for path in KEPT} == before
    at(now + timedelta(minutes=61))
    for path in [*KEPT, "/question/"]:
        [shown] = notices_on(page(client, path))
        assert text(shown) == "Important: We move on Monday, <9am & “early”."
    with django_assert_num_queries(1):
        client.get(KEPT[0])
    at(now + timedelta(hours=2))
    assert {path: client.get(path).content for path in KEPT} == before


def test_an_editor_writes_a_notice_and_somebody_else_publishes_it(staff_client, client):
    now = timezone.now().replace(second=0, microsecond=0)
    client.force_login(person("Edith", "editor"))
    save(client, ADD, **typed(now, now + timedelta(days=1), text="The lift is out of order."))
    draft = SharedDraft.objects.get()
    shown = client.get(draft.desk_address())
    assert "an owner or another editor must publish it" in text(tree(shown))
    assert "Publish" not in [text(each) for each in tree(shown).iter("button")]
    assert "an owner or another editor must publish it" in text(tree(take(client, draft, "publish")))
    assert not SiteNotice.objects.exists()
    client.force_login(person("Una", "editor"))
    assert "The lift is out of order." in text(tree(client.get("/admin/"))), "She finds it on her first page."
    assert "Published." in text(tree(take(client, draft, "publish")))
    assert SiteNotice.objects.get().text == "The lift is out of order."
    client.force_login(person("Clive", "clinician"))
    assert client.get(ADD).status_code == 403


def test_no_two_notices_at_once_and_none_that_promises_a_cure(staff_client):
    now = timezone.now().replace(second=0, microsecond=0)
    SiteNotice.objects.create(text="First.", starts_at=now, ends_at=now + timedelta(days=2))
    while_first = typed(now + timedelta(days=1), now + timedelta(days=3), text="Acupuncture cures sciatica.")
    refused = save(staff_client, ADD, **while_first)
    told = errors_of(refused)
    assert "Another notice is shown then" in told
    assert "Do not promise a cure" in told
    assert "Acupuncture cures sciatica." in refused.content.decode(), "What was typed is still there."
    backwards = typed(now + timedelta(days=5), now + timedelta(days=4), text="A <b>second")
    told = errors_of(save(staff_client, ADD, **backwards))
    assert "an end that is after the start" in told
    assert "“<b>” is HTML" in told
    after = typed(now + timedelta(days=2), now + timedelta(days=3), text="Second.")
    save(staff_client, ADD, **after)
    assert "Published." in text(tree(take(staff_client, SharedDraft.objects.get(), "publish")))
    assert SiteNotice.at(now + timedelta(days=2)).get().text == "Second."
    [second] = SiteNotice.objects.filter(text="Second.")
    kept = staff_client.get(reverse("admin:factsheets_sitenotice_edition", args=[second.pk, 1]))
    assert re.search("Text Second\\. Level Information Shown from .* Shown until", text(tree(kept)))


@pytest.mark.django_db
def test_a_page_says_no_notice_while_the_database_is_away():
    SiteNotice.objects.create(text="Over soon.", ends_at=timezone.now() + timedelta(days=1))
    assert clinic.details()["notice"] == {"text": "Over soon.", "is_important": False}
    assert clinic.last_known()["notice"] is None
