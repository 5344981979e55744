"""Who may read what, and when a change shows: nothing unpublished leaks, nothing stale stays, nothing goes out unsafe.

What stops a sheet from being published is tried where an editor meets it: `admin/test_desk_moves.py`, `admin/test_desk_guard.py`.
"""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from factsheets import actions
from factsheets.models import FactSheet, SafetyAdvice, Source
from tests.factsheets.rendering.test_outputs_pdf import read
from tests.support.html import text
from tests.support.reading import packed, page, squeezed

pytestmark = pytest.mark.usefixtures("db")
OUTPUTS = ["", "pdf/", "text/", "json/"]
every_output = pytest.mark.parametrize("output", OUTPUTS, ids=["page", "pdf", "text", "json"])
hidden_states = pytest.mark.parametrize("state", ["draft", "in_review", "retired"])


def address(sheet: FactSheet, output: str) -> str:
    return f"/fact-sheets/{sheet.slug}/{output}"


@pytest.fixture
def hidden(sheet, state):
    sheet.state = state
    sheet.save()
    return sheet


@pytest.fixture
def editor(client):
    user = User.objects.create_user("ed", "ed@example.com", "a long demo password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_factsheet"))
    client.force_login(user)
    return client


@hidden_states
@every_output
@pytest.mark.once
def test_a_sheet_that_is_not_published_is_not_found_by_the_public(client, hidden, output):
    response = client.get(address(hidden, output))
    if hidden.state == "retired":
        # Bookmarks and printed pages lead here: the title may be known, the words are gone.
        assert response.status_code == 410
        assert hidden.summary not in response.content.decode()
        assert "Key points" not in response.content.decode()
        return
    assert response.status_code == 404
    assert hidden.title not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


@every_output
@pytest.mark.once
def test_a_sheet_that_never_was_is_not_found_in_the_same_words(client, sheet, output):
    unknown = client.get(f"/fact-sheets/no-such-sheet/{output}")
    FactSheet.objects.filter(pk=sheet.pk).update(state="draft")
    draft = client.get(address(sheet, output))
    assert (unknown.status_code, unknown.content) == (draft.status_code, draft.content)


@hidden_states
@every_output
@pytest.mark.once
def test_staff_with_the_permission_preview_it_and_no_cache_keeps_it(editor, hidden, output):
    response = editor.get(address(hidden, output))
    assert response.status_code == 200
    for word in ("private", "no-store"):
        assert word in response["Cache-Control"]
    assert "public" not in response["Cache-Control"]
    assert "ETag" not in response
    if output == "text/":
        assert f"This page is {hidden.state_in_a_sentence}. Only staff can see it." in squeezed(
            response.content.decode()
        )


@every_output
@pytest.mark.once
def test_staff_without_the_permission_do_not_see_it(client, sheet, output):
    FactSheet.objects.filter(pk=sheet.pk).update(state="draft")
    client.force_login(User.objects.create_user("rec", "rec@example.com", "a long demo password", is_staff=True))
    assert client.get(address(sheet, output)).status_code == 404


@hidden_states
def test_a_sheet_that_is_not_published_is_in_no_list_and_behind_no_link(client, hidden):
    for path in ("/", "/fact-sheets/", *(f"/fact-sheets/{slug}/" for slug in others(hidden))):
        response = client.get(path)
        assert f'"/fact-sheets/{hidden.slug}/' not in response.content.decode().partition("<main")[2], path


def others(sheet: FactSheet) -> list[str]:
    """Sheets that recommend this one."""
    return list(sheet.related_from.values_list("sheet__slug", flat=True))


@every_output
@pytest.mark.once
def test_any_cache_may_keep_a_published_sheet_and_asks_whether_it_changed(client, sheet, output):
    first = client.get(address(sheet, output))
    assert "public" in first["Cache-Control"]
    assert "private" not in first["Cache-Control"]
    assert first["ETag"]
    again = client.get(address(sheet, output), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "public" in again["Cache-Control"]
    head = client.head(address(sheet, output))
    assert (head.status_code, head.content) == (200, b"")


@every_output
@pytest.mark.once
def test_a_reader_gets_no_cookie_and_staff_get_the_same_published_page(client, staff, sheet, output):
    public = client.get(address(sheet, output))
    assert not public.cookies
    assert "cookie" not in public.get("Vary", "").lower()
    client.force_login(staff)
    signed_in = client.get(address(sheet, output))
    assert signed_in.content == public.content
    assert not signed_in.cookies


@pytest.mark.long
@every_output
def test_an_edit_shows_on_the_next_request_in_every_output(client, sheet, output):
    before = client.get(address(sheet, output))
    section = sheet.sections.filter(kind="text").first()
    section.body = "Words that an editor has just saved.\n"
    section.save()
    actions.refresh(sheet=sheet)
    after = Client().get(address(sheet, output), headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    if output == "pdf/":
        assert packed(section.body) in packed("".join(each.extract_text() for each in read(client, sheet.slug).pages))
    else:
        assert section.body.strip() in squeezed(after.content.decode())


def test_the_date_of_the_last_change_moves_when_the_words_change_and_only_then(client, sheet):
    FactSheet.objects.update(updated_at=datetime(2020, 5, 26, 12, tzinfo=UTC))
    sheet.refresh_from_db()
    actions.refresh(sheet=sheet)
    assert "Last changed 26 May 2020" in text(page(client, sheet.get_absolute_url()))
    sheet.title = "A better title"
    sheet.save()
    actions.refresh(sheet=sheet)
    assert "Last changed 26 May 2020" not in text(page(client, sheet.get_absolute_url()))
    assert client.get(f"/fact-sheets/{sheet.slug}/json/").json()["updated_on"] == timezone.localdate().isoformat()


@every_output
@pytest.mark.long
def test_better_emergency_words_show_on_the_next_request_in_every_output(client, sheet, output):
    before = client.get(address(sheet, output))
    advice = SafetyAdvice.objects.filter(tier="emergency", on_compact_card=True).last()
    advice.text = advice.short_text = "a sign in better words"
    advice.save()
    after = client.get(address(sheet, output), headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    if output == "pdf/":
        assert packed(advice.text) in packed("".join(each.extract_text() for each in read(client, sheet.slug).pages))
    else:
        assert advice.text in squeezed(after.content.decode())


@pytest.mark.long
def test_a_source_that_is_corrected_shows_in_every_sheet_that_cites_it(client):
    source = Source.objects.get(key="NG59")
    source.title = "A guideline under a title that was just corrected"
    source.save()
    assert actions.refresh_all() >= 5
    assert actions.refresh_all() == 0, "Nothing is made anew when nothing changed."
    for slug in ("about-back-pain", "acupuncture-for-back-pain"):
        assert source.title in text(page(client, f"/fact-sheets/{slug}/"))


def test_an_edit_that_cannot_be_shown_leaves_readers_the_last_good_text(client, sheet):
    before = text(page(client, sheet.get_absolute_url()))
    section = sheet.sections.first()
    section.body = "Words with a citation of nothing. [@NOWHERE]"
    section.save()
    with pytest.raises(ValueError, match="No source has the short name NOWHERE"):
        actions.refresh(sheet=sheet)
    assert actions.refresh_all() == 0, "One broken sheet does not stop the others."
    assert text(page(client, sheet.get_absolute_url())) == before


SAFE = [
    "/",
    "/fact-sheets/",
    "/get-help-now/",
    "/glossary/",
    "/about/",
    "/privacy/",
    "/report/",
    "/consultation/",
    "/question/",
]


@pytest.mark.parametrize("path", [*SAFE, *(f"/fact-sheets/about-back-pain/{output}" for output in OUTPUTS)])
@pytest.mark.once
def test_without_emergency_advice_there_is_an_error_and_no_page(client, sheet, path):
    """A page that could be read without it would be worse than none."""
    SafetyAdvice.objects.filter(tier="emergency").delete()
    client.raise_request_exception = False
    response = client.get(path)
    assert response.status_code == 500
    said = response.content.decode()
    assert "Something went wrong on our side" in said
    for words in ("Key points", sheet.summary, sheet.audience):
        assert words not in said
    assert "no-store" in response["Cache-Control"]


@pytest.mark.once
def test_a_sheet_can_only_be_read(client, sheet, subtests):
    for method in ["post", "put", "delete", "patch"]:
        for output in OUTPUTS:
            with subtests.test(method=method, output=output):
                assert getattr(client, method)(address(sheet, output)).status_code in {403, 405}
