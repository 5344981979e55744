"""What is set aside says why and is released with one press; several enquiries are assigned to a colleague at once."""

from django.urls import reverse

from enquiries.actions import triage
from enquiries.models import Enquiry, Status
from tests.conftest import consultation
from tests.support.desk import person
from tests.support.forms import send
from tests.support.html import parse, text, tree
from tests.support.inbox import LIST, listed, whole_status


def cells(page) -> str:
    return " ".join(text(each) for each in tree(page).iter("tbody"))


def test_spam_says_why_it_is_there_and_goes_back_in_one_press(reception, settings):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = 0
    send("question")
    caught = Enquiry.objects.get()
    by_hand = consultation()
    Enquiry.objects.filter(pk=by_hand.pk).update(**whole_status("spam"))
    page = reception.get(LIST, {"queue": "spam"})
    assert "Many forms from one sender within an hour" in cells(page)
    assert "Marked as spam by staff" in cells(page)
    buttons = {each.get("formaction"): text(each) for each in tree(page).iter("button") if each.get("formaction")}
    release = reverse("admin:enquiries_enquiry_not_spam", args=[caught.pk])
    assert buttons[release] == f"Not spam: {caught.reference}"
    said = text(parse(reception.post(release, follow=True)))
    assert f"{caught.reference} released" in said
    assert "the patient is emailed a reply time" in said
    caught.refresh_from_db()
    assert (caught.status, caught.quarantine_reason, bool(caught.reply_by)) == (Status.NEW, "", True)
    assert listed(reception, queue="spam") == [by_hand.pk]
    assert "has been released already" in text(parse(reception.post(release, follow=True))), "A second press."
    assert "Not spam" not in cells(reception.get(LIST, {"queue": "open"}))


def test_several_are_given_to_a_colleague_at_once_and_a_closed_one_says_how_it_ended(reception, staff):
    carl = person("Carl", "clinician")
    first, second = consultation(email="1@example.com"), consultation(email="2@example.com")
    ticked = {"action": "assign", "_selected_action": [str(first.pk), str(second.pk)]}
    asked = reception.post(LIST, ticked)
    assert "Assign 2 enquiries?" in text(parse(asked))
    assert reception.post(LIST, ticked | {"sure": "yes", "owner": ""}).status_code == 422
    reception.post(LIST, ticked | {"sure": "yes", "owner": str(carl.pk)})
    assert set(Enquiry.objects.values_list("owner", flat=True)) == {carl.pk}
    assert first.events.filter(summary="Assigned to Carl").exists()
    triage.triage(enquiry=first, by=staff, to=Status.CLOSED, outcome="elsewhere")
    assert "Went elsewhere (999, 111 or a GP)" in cells(reception.get(LIST, {"queue": "all"}))
    page = text(tree(reception.get(first.get_admin_url())))
    assert "Went elsewhere (999, 111 or a GP)" in page
    assert "Sam" in page, "Who closed it: its history is there."
