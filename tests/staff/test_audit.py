"""Who did what: one list for owners, over what each part of the site records, and it names no patient."""

import csv
import io
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backcare.staff import audit
from backcare.staff.models import StaffEvent
from enquiries.actions import contact, exports, triage
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Enquiry, EnquiryEvent, EventKind, ReplyTemplate, WordingEdition
from factsheets import actions, approvals
from factsheets.models import Subject, TeamMember
from tests.conftest import consultation
from tests.support.desk import code_of, errors_of, registered, save, values_of
from tests.support.html import text, tree
from tests.support.sign_in import CODE, password, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]

PAGE = "/admin/who-did-what/"
REASON = "Asked for by our insurer"
OF_PATIENT = ["Ada", "ada@example.com", "442079460018", "An ache low", "mornings"]


def lines(client, **asked) -> list[str]:
    """The page's lines, each as one text: who, what, where."""
    answer = client.get(PAGE, asked)
    assert answer.status_code == 200, text(tree(answer))
    rows = [[text(cell) for cell in row.iter("td")] for row in tree(answer).iter("tr")]
    return [" | ".join(row[1:]) for row in rows if row]


def file(response) -> list[list[str]]:
    assert response.status_code == 200, text(tree(response))
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"), newline="")))


@pytest.mark.both
@pytest.mark.long
def test_an_owner_sees_who_did_what_and_takes_it_away_with_a_reason(owner, staff, rita, codes, public_sheet):
    enquiry = consultation()
    reception = Client()
    password(reception, word="seven wrong kettles")
    password(reception, word="eight wrong kettles")
    sign_in(reception, rita)
    assert reception.get(enquiry.get_admin_url()).status_code == 200
    contact.show_words(enquiry=enquiry, by=rita)
    triage.triage(enquiry=enquiry, by=rita, owner=rita, change_owner=True)
    reception.post(
        "/admin/enquiries/closure/add/",
        {"reason": "Training day", "first_day": "2030-05-06", "last_day": "2030-05-06"},
    )
    template = reverse("admin:enquiries_replytemplate_change", args=[ReplyTemplate.objects.first().pk])
    saved = save(reception, template, subject="Hours at our clinic")
    assert not errors_of(saved), errors_of(saved)
    wording = WordingEdition.objects.create(
        key="question_acknowledgement", number=1, parts={"text": "x"}, by=staff, actor="Sam"
    )
    actions.comment(sheet=public_sheet, section="", text="Say how far to walk.", by=staff)
    b"".join(exports_of(enquiry, staff))
    owner.post("/admin/accounts/invite/", {"first_name": "Nora", "email": "nora@example.com", "role": "reception"})
    shown = approvals.standing(Subject.RED_FLAGS).digest
    registered(staff)
    approvals.approve(subject=Subject.RED_FLAGS, digest=shown, by=staff)
    hours = values_of(owner.get("/admin/enquiries/clinichours/"))
    owner.post("/admin/enquiries/clinichours/", hours | {"openings-0-opens": "07:35", "within_hours": "4"})
    person = TeamMember.objects.create(name="Ann Lee", role="physio")
    save(owner, reverse("admin:factsheets_teammember_change", args=[person.pk]), role="physiotherapist", shown="")
    said = lines(owner)
    for wanted in (
        "became “Monday, 7:35am to 5pm; Tuesday to Friday, 9am to 5pm”",
        "Reply within: “8” became “4”",
        "Role: “physio” became “physiotherapist”",
        "Someone not signed in | Refused: wrong password for the account of Rita, 2 times within an hour",
        "Rita | Signed in with a code from the app",
        f"Rita | Viewed | {enquiry.reference}",
        f"Rita | Read what they wrote | {enquiry.reference}",
        f"Rita | Assigned to Rita | {enquiry.reference}",
        "Rita | Closure: Added. | 6 May 2030",
        "Rita | Saved a reply template. Subject: ",
        "became “Hours at our clinic”.",
        f"became “x”. | {WORDINGS[wording.key].name}",
        "Exported 1 enquiry with contact details. Ticked by hand. Why: A list for the insurer | Exports",
        "Account: Invited as reception. | nora@example.com",
        "Clive | Fact sheet, edition 3: signed off | A new sheet",
        "Approved: red flags",
        "Sam | Comment: “Say how far to walk.” | A new sheet",
    ):
        assert any(wanted in line for line in said), (wanted, said)
    assert not any("in an export of" in line for line in said), "One line for the export is enough."

    # Each filter, and two together.
    assert {line.partition(" | ")[0] for line in lines(owner, who=rita.pk, kind="read")} == {"Rita"}
    [found] = lines(owner, words="INSURER exported")
    assert "A list for the insurer" in found
    assert [line for line in said if "rita" in line.casefold()] == lines(owner, words="rita")
    assert lines(owner, words="insurer", kind="read") == lines(owner, words="insurer nothing") == []
    [_, *rows] = file(owner.post(PAGE, {"reason": REASON, "words": "closure"}))
    assert [row[3] for row in rows][-1] == "Closure: Added." and len(rows) == 2
    StaffEvent.objects.filter(kind="exported").delete()
    assert [line.split(" | ")[1] for line in lines(owner, kind="setting")][-1] == "Closure: Added."
    of_it = lines(owner, reference=enquiry.reference.lower().replace("-", " "))
    assert of_it and all(line.endswith(enquiry.reference) for line in of_it)
    assert any("in an export of 1" in line for line in of_it)
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    assert lines(owner, to_day=yesterday) == []
    assert len(lines(owner, from_day=yesterday)) == len(said)
    kinds = {kind for kind in audit.Kind if lines(owner, kind=kind)}
    assert kinds == set(audit.Kind)

    short = owner.post(PAGE, {"kind": "read", "reason": "x"})
    assert short.status_code == 422 and "at least 10 characters" in text(tree(short))
    assert 'value="read" selected' in short.content.decode() and not StaffEvent.objects.filter(kind="exported").exists()
    head, *rows = file(owner.post(PAGE, {"reason": REASON}))
    assert head == ["when", "who", "kind", "what", "enquiry", "page"]
    assert rows[0][3] == f"Exported “Who did what”. Why: {REASON}", "The file's own line is in it."
    assert len(rows) == len(said) + 1
    assert lines(owner, kind="export")[0].startswith(f"{staff.first_name} | Exported “Who did what”. Why: {REASON}")
    whole = owner.get(PAGE).content.decode() + repr(rows)
    assert not [told for told in OF_PATIENT if told in whole]
    assert reception.get(PAGE).status_code == reception.post(PAGE, {"reason": REASON}).status_code == 403


def exports_of(enquiry, by):
    found = exports.export(
        queryset=Enquiry.objects.filter(pk=enquiry.pk),
        what="Ticked by hand",
        by=by,
        reason="A list for the insurer",
        personal=True,
    )
    return [each.encode() for each in found]


@pytest.mark.both
@pytest.mark.long
def test_pages_follow_one_another_without_a_gap_or_a_line_twice(owner, staff, monkeypatch):
    """Many lines of the same moment, in three tables."""
    enquiry, at = consultation(), timezone.now() - timedelta(days=1)
    EnquiryEvent.objects.bulk_create(
        EnquiryEvent(enquiry=enquiry, kind=EventKind.NOTE, by=staff, actor="Sam", summary=f"e{n}", created_at=at)
        for n in range(60)
    )
    for number in range(30):
        StaffEvent.objects.create(kind="signed_in", by=staff, actor="Sam", what=f"s{number}", at=at)
        entry = LogEntry.objects.create(user=staff, action_flag=CHANGE, object_repr="x", change_message=f"l{number}")
        LogEntry.objects.filter(pk=entry.pk).update(action_time=at)
    seen, address = [], PAGE
    while address:
        with CaptureQueriesContext(connection) as queries:
            answer = owner.get(address)
        assert len(queries) < 35, "As many however many lines there are."
        page = tree(answer)
        seen += [text(list(row.iter("td"))[2]) for row in page.iter("tr") if list(row.iter("td"))]
        [older] = [each.get("href") for each in page.iter("a") if each.get("rel") == "next"] or [""]
        address = older and PAGE + older
    whole = [line.what for line in audit.every(audit.Asked())]
    assert seen == whole
    monkeypatch.setattr(audit, "AT_ONCE", 7)
    monkeypatch.setattr(audit, "LOOK_THROUGH", 14)
    assert [line.what for line in audit.every(audit.Asked(words="S1"))] == [each for each in whole if "s1" in each]
    none = owner.get(PAGE, {"words": "s1"})
    assert "We looked through 14 lines" in text(tree(none)) and "Older" in text(tree(none))
    ours = [each.rpartition(" ")[2] for each in whole if each[-1].isdigit()]
    wanted = {f"{letter}{n}" for letter, many in (("e", 60), ("s", 30), ("l", 30)) for n in range(many)}
    assert {each for each in ours if each in wanted} == wanted
    assert len([each for each in ours if each in wanted]) == len(wanted), "A line twice."


# Who is named for another reason than having done something, or whose deed has a line of another table.
TOLD_ELSEWHERE = {
    "backcare.ClinicSettingsEdition",  # and a line of Django's log with each
    "backcare.SetUpStep",
    "staff.Authenticator",
    "staff.Invitation",
    "staff.RecoveryCode",
    "factsheets.ContentUpload",  # until it is decided; what is taken over is in the history of each sheet
    "factsheets.Picture",
    "factsheets.SafetyEdition",  # with the step of its draft
    "factsheets.SharedEdition",  # and a line of Django’s log with each
    "factsheets.FactSheet",
    "factsheets.TeamMember",
    "factsheets.UnsavedEdit",
    "enquiries.CalendarFeed",
    "enquiries.Enquiry",
    "enquiries.StaffDraft",
    "enquiries.Absence",
    "enquiries.OutgoingMessage",
}


def test_a_new_table_that_names_a_member_of_staff_is_in_the_list_or_told_elsewhere():
    read = {source.rows(audit.Asked()).model for source in audit.SOURCES}
    name_staff = {
        model._meta.label
        for model in apps.get_models()
        if model not in read and any(field.related_model is User for field in model._meta.fields)
    }
    assert name_staff == TOLD_ELSEWHERE, "Add it to backcare/staff/audit.py, or say here why not."


@pytest.mark.both
@pytest.mark.long
def test_what_is_asked_wrongly_is_told_and_kept(owner):
    refused = owner.get(PAGE, {"from_day": "soon", "to_day": "9999-12-31", "reference": "BBBB-BBBB", "who": "999999"})
    said = text(tree(refused))
    assert refused.status_code == 422 and "soon" in refused.content.decode()
    assert "No enquiry has this reference." in said and "Choose somebody from the list." in said
    assert said.count("Enter a date, such as 27/3/2026.") == 2
    turned = owner.get(PAGE, {"from_day": "2026-03-02", "to_day": "2026-03-01"})
    assert "must be on or after the first" in text(tree(turned))
    now = timezone.now().isoformat()
    for place in ("x", "~~", f"{now}~0~x", f"{now}~99~1", f"{now}~-1~1", f"{now}~1~1", "0001-01-01T00:00:00+14:00~0~1",
                  "2026-01-01~0~1", f"{now}~0~{'9' * 30}"):  # fmt: skip
        assert owner.get(PAGE, {"after": place}).status_code == 200, place


@pytest.mark.both
@pytest.mark.long
def test_guessing_makes_one_line_an_hour_and_a_name_that_nobody_has_is_not_kept(owner, staff, rita, codes, clock):
    guessing = Client()
    for word in ("one wrong kettle", "two wrong kettles", "three wrong kettles"):
        password(guessing, word=word)
    guessing.post("/admin/login/", {"username": "hunter2 is my password", "password": "x"})
    [of_rita] = StaffEvent.objects.filter(kind="refused", by=rita)
    assert (of_rita.times, of_rita.actor) == (3, "Rita")
    nobody = StaffEvent.objects.get(kind="refused", by=None)
    assert "hunter2" not in repr(StaffEvent.objects.values_list())
    assert nobody.what == "a username that no account has" and nobody.actor == ""
    password(guessing)
    guessing.post(CODE, {"code": "000000"})
    assert StaffEvent.objects.filter(what="wrong code", by=rita).count() == 1
    assert guessing.post(CODE, {"code": code_of(rita)}).status_code == 302
    clock(3700)
    password(Client(), word="one wrong kettle")
    assert StaffEvent.objects.filter(what="wrong password", by=rita).count() == 2
    # Who has left and knows the password reads what a guesser reads. The records tell the two apart.
    User.objects.filter(pk=rita.pk).update(is_active=False)
    left, guessed = (text(tree(password(Client(), **word))) for word in ({}, {"word": "one wrong kettle"}))
    assert left == guessed and "The email address, username or password is not right." in left
    what = list(StaffEvent.objects.filter(by=rita).values_list("what", flat=True))
    assert (what.count(audit.DEACTIVATED), what.count("wrong password")) == (1, 3)
    sign_in(owner, staff)
    assert any("Refused: the account of Rita is deactivated" in line for line in lines(owner))
