"""The inbox and its enquiries as staff use them, over HTTP, and every page of the desk opened once."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from enquiries.actions import appointments, triage
from enquiries.models import Enquiry, EnquiryEvent, EventKind, MessageState, OutgoingMessage, Status
from factsheets import actions
from factsheets.models import FactSheet, SafetyAdvice, Section
from tests.conftest import consultation, give_signs, report
from tests.support.desk import person, values_of
from tests.support.html import tree

pytestmark = pytest.mark.django_db

HOSTILE = "<b>&\"'</b><script>alert(1)</script>{{ 7|add:7 }}"


def text_of(response) -> str:
    return "".join(tree(response).itertext())


def form_of(response) -> dict:
    """The change form's own values, as the browser would send them back."""
    form = response.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    for formset in response.context["inline_admin_formsets"]:
        management = formset.formset.management_form
        values |= {management.add_prefix(name): management[name].value() for name in management.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def change(client, enquiry, **changes):
    address = enquiry.get_admin_url()
    return client.post(address, values_of(client.get(address)) | changes, follow=True)


@pytest.mark.long
def test_every_list_and_record_of_the_desk_opens_and_shows_markup_as_text(staff_client, sheet):
    """The real content, three records of each kind. Forms to add one, and every other page, are opened by test_roles.py."""
    consultation(name=HOSTILE, description=HOSTILE, best_time=HOSTILE)
    report(sheet, name=HOSTILE)
    opened = set()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_change", args=[record.pk]) for record in model._default_manager.all()[:3]]
        for address in [reverse(f"{name}_changelist"), *addresses]:
            response = staff_client.get(address)
            assert response.status_code == 200, address
            assert b"<script>alert" not in response.content, address
        if addresses:
            opened.add(model)
    assert {Enquiry, OutgoingMessage, FactSheet, Section, SafetyAdvice} <= opened


def test_what_a_patient_typed_is_shown_as_text_everywhere(staff_client):
    enquiry = consultation(name=HOSTILE, best_time=HOSTILE, description=HOSTILE)
    triage.triage(enquiry=enquiry, by=User.objects.get(username="sam"), note=HOSTILE)
    for address in (reverse("admin:enquiries_enquiry_changelist"), enquiry.get_admin_url()):
        response = staff_client.get(address)
        assert b"<b>&" not in response.content
        assert b"<script>alert" not in response.content
        assert HOSTILE in text_of(response)


def test_the_inbox_shows_warning_signs_first_then_failed_mail_then_what_is_due_first(staff_client, staff, sheet):
    first, second, third, fourth = (consultation(email=f"{number}@example.com") for number in "1234")
    triage.triage(enquiry=first, by=staff, to=Status.CLOSED, outcome="answered")
    triage.triage(enquiry=second, by=staff, to=Status.IN_PROGRESS)
    Enquiry.objects.filter(pk=fourth.pk).update(reply_by=timezone.now() - timedelta(days=1))
    failed, flagged = report(sheet), consultation(email="5@example.com")
    Enquiry.objects.filter(pk=failed.pk).update(mail_failed=True)
    give_signs(Enquiry.objects.filter(pk=flagged.pk))

    def listed(**query):
        page = staff_client.get(reverse("admin:enquiries_enquiry_changelist"), query)
        return [enquiry.pk for enquiry in page.context["cl"].result_list]

    urgent = [flagged.pk, failed.pk, fourth.pk, second.pk, third.pk]
    assert listed() == urgent
    assert listed(queue="all") == [*urgent, first.pk]


def test_an_empty_inbox_opens(staff_client):
    response = staff_client.get(reverse("admin:enquiries_enquiry_changelist"))
    assert response.status_code == 200
    assert "0 enquiries" in text_of(response)


def test_moving_an_enquiry_writes_the_status_and_the_timeline_together(staff_client, staff):
    enquiry = consultation()
    response = change(staff_client, enquiry, status="in_progress", owner=staff.pk, note="Rang at ten, no answer.")
    assert response.status_code == 200
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.owner) == (Status.IN_PROGRESS, staff)
    moved, assigned, note = enquiry.events.exclude(kind="viewed")[1:]
    assert (moved.kind, moved.from_status, moved.to_status, moved.by) == ("moved", "new", "in_progress", staff)
    assert assigned.kind == EventKind.ASSIGNED
    assert (note.kind, note.note, note.actor) == ("note", "Rang at ten, no answer.", "Sam")
    assert "new → in progress" in text_of(staff_client.get(enquiry.get_admin_url()))


def test_a_move_that_the_table_does_not_allow_is_refused(staff_client, staff):
    enquiry = consultation()
    triage.triage(enquiry=enquiry, by=staff, to=Status.CLOSED, outcome="answered")
    response = change(staff_client, enquiry, status="booked")
    assert "Select a valid choice" in text_of(response)
    with pytest.raises(triage.MoveRefused, match="You cannot move"):
        triage.triage(enquiry=enquiry, by=staff, to=Status.BOOKED)
    enquiry.refresh_from_db()
    assert enquiry.status == Status.CLOSED


def test_a_save_over_someone_elses_change_is_refused_and_says_what_changed(staff_client):
    enquiry = consultation()
    opened = values_of(staff_client.get(enquiry.get_admin_url()))
    other = User.objects.create_user("kim", first_name="Kim", is_staff=True)
    tomorrow = timezone.now() + timedelta(days=1)
    appointments.book(enquiry=enquiry, by=other, at=tomorrow, channel="phone")
    response = staff_client.post(enquiry.get_admin_url(), opened | {"status": "spam", "note": "done"}, follow=True)
    said = text_of(response)
    assert "Kim booked an appointment while you were writing" in said
    assert "It is now “booked”" in said
    enquiry.refresh_from_db()
    assert enquiry.status == Status.BOOKED
    assert values_of(response)["note"] == "done", "What staff typed was lost."


def test_what_the_patient_wrote_cannot_be_changed(staff_client):
    enquiry = consultation()
    change(
        staff_client,
        enquiry,
        status="new",
        name="Somebody Else",
        description="changed",
        email="x@example.com",
        kind="report",
    )
    enquiry.refresh_from_db()
    assert (enquiry.name, enquiry.email, enquiry.kind) == ("Ada Example", "ada@example.com", "consultation")
    assert enquiry.description == "An ache low in my back for two months."


def test_the_timeline_is_append_only(staff_client, staff):
    enquiry = consultation()
    event = enquiry.events.get()
    event.summary = "rewritten"
    with pytest.raises(TypeError, match="never changed"):
        event.save()
    assert EnquiryEvent not in admin.site._registry
    assert staff_client.get(reverse("admin:enquiries_enquiry_add")).status_code == 403
    assert staff_client.post(reverse("admin:enquiries_enquiry_delete", args=[enquiry.pk])).status_code == 403


def test_bulk_actions_change_what_they_may_and_say_what_they_did_not(staff_client, staff):
    new, closed = consultation(email="1@example.com"), consultation(email="2@example.com")
    triage.triage(enquiry=closed, by=staff, to=Status.CLOSED, outcome="answered")
    chosen = {"action": "mark_as_spam", "_selected_action": [str(new.pk), str(closed.pk)]}
    address = f"{reverse('admin:enquiries_enquiry_changelist')}?queue=all"
    asked = staff_client.post(address, chosen)
    assert "Mark as spam: 1 enquiry?" in text_of(asked)
    new.refresh_from_db()
    assert new.status == Status.NEW, "Nothing happens before it is confirmed."
    response = staff_client.post(address, chosen | {"sure": "yes"}, follow=True)
    said = text_of(response)
    assert "1 changed." in said
    assert f"Not changed: {closed.reference}. You cannot move an enquiry from “closed” to “spam”." in said
    new.refresh_from_db()
    assert new.status == Status.SPAM
    assert new.events.filter(kind="moved", to_status="spam", by=staff).exists()


def test_taking_enquiries_makes_me_their_owner(staff_client, staff):
    enquiry = consultation()
    chosen = {"action": "take", "_selected_action": [str(enquiry.pk)]}
    staff_client.post(reverse("admin:enquiries_enquiry_changelist"), chosen)
    enquiry.refresh_from_db()
    assert enquiry.owner == staff
    kim = person("Kim", "reception")
    triage.triage(enquiry=enquiry, by=kim, owner=kim, change_owner=True)
    said = text_of(staff_client.post(reverse("admin:enquiries_enquiry_changelist"), chosen, follow=True))
    assert f"You took over {enquiry.reference} from Kim." in said, "A list may be older than a colleague's press."


def test_a_failed_mail_can_be_sent_again_from_the_enquiry(staff_client, sheet):
    enquiry = report(sheet)
    message = enquiry.messages.get()
    OutgoingMessage.objects.filter(pk=message.pk).update(state=MessageState.FAILED, error="SMTPRecipientsRefused 550")
    Enquiry.objects.filter(pk=enquiry.pk).update(mail_failed=True)
    page = staff_client.get(enquiry.get_admin_url())
    again = reverse("admin:enquiries_outgoingmessage_send_again", args=[message.pk])
    assert again in page.content.decode()
    assert "SMTPRecipientsRefused 550" in text_of(page)
    assert staff_client.get(again).status_code == 405, "A GET must not send anything."
    staff_client.post(again)
    message.refresh_from_db()
    assert (message.state, message.error) == (MessageState.WAITING, "")
    assert not Enquiry.objects.get(pk=enquiry.pk).mail_failed
    assert enquiry.events.filter(kind=EventKind.MESSAGE_AGAIN).exists()


def test_a_text_that_cannot_be_decrypted_hides_nothing_else(staff_client):
    enquiry, other = consultation(), consultation(email="other@example.com")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE enquiries_enquiry SET description = (SELECT description FROM enquiries_enquiry WHERE reference = %s) "
            "WHERE reference = %s",
            [other.reference, enquiry.reference],
        )
    said = text_of(staff_client.get(enquiry.get_admin_url()))
    assert "This text cannot be opened" in said
    assert "Ada Example" in said


@pytest.fixture
def demo(db, capsys):
    call_command("demo")
    return capsys


@pytest.mark.long
def test_reception_works_the_inbox_and_nothing_else(client, demo):
    client.force_login(User.objects.get(username="reception"))
    enquiry = Enquiry.objects.filter(kind="consultation", status=Status.NEW, safety_signs=None, same_as=None).first()
    assert client.get(enquiry.get_admin_url()).status_code == 200
    change(client, enquiry, status="in_progress")
    enquiry.refresh_from_db()
    assert enquiry.status == Status.IN_PROGRESS
    assert client.get(reverse("admin:factsheets_factsheet_changelist")).status_code == 403
    assert client.get(reverse("admin:accounts")).status_code == 403


@pytest.mark.both
@pytest.mark.long
def test_an_editor_sees_no_enquiry(client, demo):
    client.force_login(User.objects.get(username="editor"))
    assert client.get(reverse("admin:factsheets_factsheet_changelist")).status_code == 200
    enquiry = Enquiry.objects.first()
    assert client.get(reverse("admin:enquiries_enquiry_changelist")).status_code == 403
    assert client.get(enquiry.get_admin_url()).status_code == 403
    message = OutgoingMessage.objects.first()
    assert client.post(reverse("admin:enquiries_outgoingmessage_send_again", args=[message.pk])).status_code == 403


def test_the_public_sees_no_desk(client):
    enquiry = consultation()
    for address in (reverse("admin:index"), enquiry.get_admin_url()):
        assert client.get(address).status_code == 302


@pytest.mark.long
def test_a_section_that_could_not_be_shown_is_refused_in_words(staff_client, sheet, staff):
    section = actions.begin_draft(sheet=sheet, by=staff).sections.filter(kind="text").first()
    address = reverse("admin:factsheets_section_change", args=[section.pk])
    values = form_of(staff_client.get(address)) | {"body": "- one", "kind": "avoid", "claim_refs": ""}
    response = staff_client.post(address, values)
    assert response.status_code == 200
    assert "Start each line with “do not”" in text_of(response)
