"""An appointment from booking to its outcome: what makes a time doubtful, what the patient and their calendar get, the lists."""

from datetime import UTC, date, timedelta
from importlib import import_module

import pytest
import vobject
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import migrations, models
from django.db.migrations import RemoveConstraint
from django.db.migrations.state import ProjectState
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from backcare.ops import logs
from enquiries.actions import appointments, by_patient, erasure, triage
from enquiries.models import (
    Absence,
    Appointment,
    CalendarFeed,
    Closure,
    Enquiry,
    EventKind,
    MessageState,
    OutgoingMessage,
    Purpose,
)
from factsheets.models import TeamMember
from tests.conftest import consultation
from tests.enquiries.test_closed_at import migrated
from tests.support.clock import london
from tests.support.desk import at_the_desk, person, registered
from tests.support.html import parse, text, tree
from tests.support.inbox import LIST, book_past, booked, flagged, let_appointment_begin, listed, step
from tests.support.outbox import deliver, html_of, question, text_of, words_of

MONDAY = london(2027, 2, 1, 10)
DIARY = reverse("admin:enquiries_enquiry_appointments")
TYPED = {"day": "2027-02-03", "time": "10:30", "channel": "phone", "minutes": "45"}


@pytest.fixture
def rita(reception, monkeypatch):
    """Rita at her desk, on a Monday at ten. The clinic opens from nine to five."""
    at_the_desk(monkeypatch, reception, MONDAY)
    return reception


def deliver_now() -> None:
    """The outbox goes by the database's clock, whatever time it is at the desk."""
    OutgoingMessage.objects.update(next_attempt_at=london(2020, 1, 1))
    deliver()


def files(mail) -> tuple[str, dict, dict]:
    """The method of the calendar part, and what two parsers that do not know each other read in it and in the attached file."""
    [part] = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
    [attached] = mail.iter_attachments()
    assert attached.get_filename() == "appointment.ics"
    written = part.get_content().replace("\r\n", "\n")
    assert attached.get_payload(decode=True).decode().replace("\r\n", "\n") == written
    calendar = Calendar.from_ical(written)
    [event] = calendar.walk("VEVENT")
    other = vobject.readOne(written)
    method = part.get_param("method")
    assert method == str(calendar["method"]) == other.method.value
    one = {
        "uid": str(event["uid"]),
        "sequence": int(event["sequence"]),
        "starts": event.decoded("dtstart"),
        "ends": event.decoded("dtend"),
        "status": str(event["status"]),
        "summary": str(event["summary"]),
        "organizer": str(event["organizer"]),
        "attendee": str(event["attendee"]),
        "place": str(event.get("location", "")),
        "about": str(event.get("description", "")),
        "alarms": [alarm.decoded("trigger") for alarm in event.walk("VALARM")],
    }
    seen = other.vevent
    two = {
        "uid": seen.uid.value,
        "sequence": int(seen.sequence.value),
        "starts": seen.dtstart.value,
        "ends": seen.dtend.value,
        "status": seen.status.value,
        "summary": seen.summary.value,
        "organizer": seen.organizer.value,
        "attendee": seen.attendee.value,
        "place": seen.location.value if hasattr(seen, "location") else "",
        "about": seen.description.value if hasattr(seen, "description") else "",
        "alarms": [each.trigger.value for each in getattr(seen, "valarm_list", [])],
    }
    assert one == two
    return method, one, calendar


@pytest.mark.long
def test_booked_moved_and_cancelled_each_reaches_the_mailbox_and_the_calendar(rita, mail_through):
    # She works here, but has no account.
    mei = TeamMember.objects.create(name="Mei Lin", role="acupuncturist", other_register="BAcC", number="12345")
    gone = TeamMember.objects.create(name="Gone Away", shown=False)
    enquiry = consultation()
    deliver_now()
    [offered] = [
        each for each in tree(rita.get(enquiry.get_admin_url())).iter("select") if each.get("name") == "book-person"
    ]
    assert "Mei Lin" in text(offered) and "Gone Away" not in text(offered)
    refused = step(rita, enquiry, "book", **TYPED | {"person": str(gone.pk)})
    assert refused.status_code == 422 and "valid choice" in text(parse(refused))
    link = "https://video.example/a?b=1&c=2"
    given = TYPED | {"channel": "video", "person": str(mei.pk), "place": link}
    assert "Booked. Confirmation emailed." in text(parse(step(rita, enquiry, "book", **given)))
    deliver_now()
    mail = mail_through.messages[-1]
    for said in (text_of(mail), words_of(mail)):
        for words in ("10:30am on Wednesday 3 February", "45 minutes", "by video call", "With", link):
            assert words in said
    assert "With: Mei Lin, acupuncturist (BAcC 12345)" in text_of(mail)
    assert link in [each.get("href") for each in html_of(mail).iter("a")]
    method, first, _ = files(mail)
    assert (method, first["status"], first["summary"], first["place"]) == ("REQUEST", "CONFIRMED", "Appointment", link)
    assert (first["starts"], first["ends"]) == (london(2027, 2, 3, 10, 30), london(2027, 2, 3, 11, 15))
    assert first["about"] == "With Mei Lin, acupuncturist (BAcC 12345)"
    assert first["attendee"] == "mailto:ada@example.com"
    assert first["organizer"].startswith("mailto:") and first["alarms"] == [-timedelta(hours=1)]

    page = rita.get(enquiry.get_admin_url()).content.decode()
    assert "with\n        Mei Lin, acupuncturist (BAcC 12345)" in page and "by video call, with Mei Lin" in page
    TeamMember.objects.filter(pk=mei.pk).update(
        shown=False
    )  # an appointment that is moved may stay with the same person
    assert 'value="2027-02-03"' in page and 'value="10:30"' in page, "Moving starts from what is there."
    moved = given | {"day": "2027-02-04", "time": "15:00"}
    step(rita, enquiry, "book", **moved)
    deliver_now()
    mail = mail_through.messages[-1]
    assert "has changed" in mail["Subject"]
    assert "This replaces the one at 10:30am on Wednesday 3 February." in text_of(mail)
    method, second, _ = files(mail)
    assert (method, second["uid"], second["sequence"]) == ("REQUEST", first["uid"], first["sequence"] + 1)
    assert second["starts"] == london(2027, 2, 4, 15)

    assert "as it is already booked" in text(parse(step(rita, enquiry, "book", **moved)))
    assert step(rita, enquiry, "cancel", who="").status_code == 422
    step(rita, enquiry, "cancel", who="by_clinic")
    deliver_now()
    mail = mail_through.messages[-1]
    assert "we have had to cancel your appointment at 3pm on Thursday 4 February" in words_of(mail)
    method, third, _ = files(mail)
    assert (method, third["status"], third["uid"]) == ("CANCEL", "CANCELLED", first["uid"])
    assert third["sequence"] > second["sequence"]
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.appointment) == ("in_progress", None)
    assert [each.state for each in enquiry.appointments.all()] == ["moved", "by_clinic"]
    for mail in mail_through.messages[-3:]:
        assert "pain" not in mail["Subject"].lower()
    rows = str(list(Appointment.objects.values()))
    assert "video.example" not in rows, "The link is encrypted."

    step(rita, enquiry, "book", **TYPED)
    assert booked(enquiry).uid != first["uid"], (
        "What a calendar took out stays out: another appointment is another entry."
    )


def test_what_the_patient_never_heard_of_is_not_taken_back(db, staff, mail_through):
    asked = consultation()
    deliver()
    before = len(mail_through.messages)
    for days, channel in ((3, "phone"), (4, "video")):
        appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=days), channel=channel)
    deliver()
    [mail] = mail_through.messages[before:]
    assert "video call" in text_of(mail)
    assert "replaces" not in text_of(mail), "The first time was never told."
    booking = asked.messages.filter(purpose=Purpose.BOOKING).order_by("sequence")
    assert [each.state for each in booking] == [MessageState.LAPSED, MessageState.SENT]
    other = question(email="other@example.com")
    deliver()
    before = len(mail_through.messages)
    appointments.book(enquiry=other, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    appointments.end_appointment(enquiry=other, by=staff, state="by_clinic")
    deliver()
    assert len(mail_through.messages) == before


def test_a_patient_who_withdraws_gets_it_out_of_their_calendar(db, staff, mail_through):
    asked = consultation()
    appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    deliver()
    asked.refresh_from_db()
    by_patient.withdraw(enquiry=asked, version=asked.version)
    deliver()
    [mail] = [each for each in mail_through.messages if "cancelled" in each["Subject"]]
    assert files(mail)[0] == "CANCEL"
    assert "as you asked" in text_of(mail)


def test_a_cancellation_that_comes_back_opens_nothing_that_its_patient_withdrew(db, staff, mail_through):
    asked = consultation()
    appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    deliver()
    mail_through.refuse_recipients.add("ada@example.com")
    asked.refresh_from_db()
    by_patient.withdraw(enquiry=asked, version=asked.version)
    deliver()
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.mail_failed) == ("closed", "withdrawn", False)
    assert asked.messages.get(purpose=Purpose.CANCELLATION).state == MessageState.LAPSED


@pytest.mark.long
def test_a_time_that_somebody_should_think_about_is_booked_at_the_second_press(rita):
    Closure.objects.create(first_day=date(2027, 2, 10), last_day=date(2027, 2, 11), reason="training")
    clive, dora = person("Clive", "clinician"), person("Dora", "clinician")
    Absence.objects.create(staff=dora, first_day=date(2027, 2, 3), last_day=date(2027, 2, 5))
    taken, alone = consultation(email="1@example.com"), consultation(email="2@example.com")
    step(rita, taken, "book", **TYPED | {"person": str(clive.team_member.pk)})
    step(rita, alone, "book", **TYPED | {"day": "2027-02-05"})
    enquiry = consultation()
    for changed, concern in (
        ({"time": "18:00"}, "The clinic is closed at 6pm on Wednesday 3 February"),
        ({"time": "16:30"}, "It would end after we close at 5pm"),
        ({"day": "2027-03-26"}, "Friday 26 March is a bank holiday"),
        ({"day": "2027-02-10"}, "We are closed from Wednesday 10 February to Thursday 11 February: training"),
        ({"day": "2028-03-01"}, "10:30am on Wednesday 1 March 2028 is more than a year ahead"),
        (
            {"time": "10:00", "person": str(clive.team_member.pk)},
            f"Clive has another appointment from 10:30am to 11:15am ({taken.reference})",
        ),
        (
            {"day": "2027-02-05", "time": "11:00"},
            f"There is another appointment from 10:30am to 11:15am ({alone.reference})",
        ),
        ({"time": "11:30", "person": str(dora.team_member.pk)}, "Dora is away until Friday 5 February"),
        (
            {"day": "2027-03-28", "time": "01:30"},
            "There is no 1:30am on Sunday 28 March, because clocks go forward. It would be 2:30am",
        ),
        (
            {"day": "2027-10-31", "time": "01:30", "which": "1"},
            "comes twice, because clocks go back. It would be the second",
        ),
    ):
        typed = TYPED | {"place": "Room 2", "remind": "on"} | changed
        warned = step(rita, enquiry, "book", **typed)
        said = text(parse(warned))
        assert warned.status_code == 422 and concern in said, said
        assert "Book anyway" in said
        page = warned.content.decode()
        for value in (typed["day"], typed["time"], "Room 2"):
            assert f'value="{value}' in page, "What was typed is there."
        assert booked(enquiry) is None
        [mark] = [each.get("value") for each in parse(warned).iter("input") if each.get("name") == "book-sure"]
        other = step(rita, enquiry, "book", **typed | {"sure": mark, "day": "2027-02-07"})
        assert other.status_code == 422, "The mark is good for what was read, and nothing else."
        step(rita, enquiry, "book", **typed | {"sure": mark})
        made = booked(enquiry)
        assert made and made.remind and made.place == "Room 2", changed
        appointments.end_appointment(enquiry=enquiry, by=clive, state="by_clinic")
    assert made.starts_at == london(2027, 10, 31, 1, 30, fold=1).astimezone(UTC)
    # Two clinicians may see two patients at the same time.
    step(rita, enquiry, "book", **TYPED | {"person": str(person("Carl", "clinician").team_member.pk)})
    assert booked(enquiry)


@pytest.mark.long
def test_what_cannot_be_booked_comes_back_with_what_was_typed(rita):
    enquiry = consultation()
    for wrong, why in (
        ({"day": "2020-01-01"}, "Choose a time in the future"),
        ({"day": ""}, "Choose the day"),
        ({"day": "9999-12-31", "time": "23:55"}, "within the next ten years"),
        ({"day": "0001-01-01"}, "Choose a time in the future"),
        ({"day": "31 June"}, "valid date"),
        ({"channel": "fax"}, "valid choice"),
        ({"minutes": "7"}, "valid choice"),
        ({"channel": "video", "place": "my room"}, "It starts with https://"),
        ({"person": "9999"}, "valid choice"),
    ):
        refused = step(rita, enquiry, "book", **TYPED | {"place": "Typed already"} | wrong)
        assert refused.status_code == 422, wrong
        assert why in text(parse(refused)), wrong
        assert wrong.get("place", "Typed already") in refused.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.both
@pytest.mark.long
def test_the_lists_say_what_is_today_this_week_and_what_needs_an_outcome(rita, staff):
    kinds = ("came", "missed", "by_patient", "by_clinic", "kept")
    asked = {name: consultation(email=f"{name}@example.com", name=f"{name.title()} Example") for name in kinds}
    for name, enquiry in asked.items():
        book_past(enquiry, MONDAY - timedelta(hours=1, days=7 if name == "kept" else 0))
    later = flagged(email="later@example.com", name="Later Example")
    book_past(later, MONDAY + timedelta(days=2), with_whom=registered(staff))
    today, week = (text(parse(rita.get(DIARY, {"show": name}))) for name in ("today", "week"))
    assert "Came Example" in today and "Later Example" not in today and "Kept Example" not in today
    assert "Later Example" in week and "with" in week
    assert "No appointments this week" in text(parse(rita.get(DIARY, {"show": "week", "mine": ""})))
    assert "Kept Example" in text(parse(rita.get(DIARY, {"show": "week", "from": "2027-01-27"})))
    for odd in ("nonsense", "9999-12-31", "0001-01-01"):
        assert rita.get(DIARY, {"show": "week", "from": odd}).status_code == 200
    page = rita.get(DIARY, {"show": "outcome"})
    assert "Needs an outcome 5" in text(parse(page))
    assert listed(rita, queue="open")[0] == later.pk
    refused = text(parse(step(rita, asked["came"], "book", **TYPED)))
    assert "Record how the appointment went first" in refused

    def press(enquiry, state, version=None):
        enquiry.refresh_from_db()
        address = reverse("admin:enquiries_enquiry_appointment_outcome", args=[enquiry.pk])
        given = {"state": state, "version": version or enquiry.version, "back": f"{DIARY}?show=outcome"}
        return text(parse(rita.post(address, given, follow=True)))

    assert "Your change was not saved" in press(
        triage.triage(enquiry=asked["came"], by=staff, note="x"), "came", version=1
    )
    for state in kinds[:4]:
        said = press(asked[state], state)
    assert "Needs an outcome 1" in said
    assert "no booked appointment" in press(asked["missed"], "missed"), "A second press does nothing."
    assert "not begun yet" in press(later, "came")
    step(rita, asked["kept"], "outcome", state="came", keep_open="on")
    ended = {name: Enquiry.objects.get(pk=enquiry.pk) for name, enquiry in asked.items()}
    assert {name: (each.status, each.outcome) for name, each in ended.items()} == {
        "came": ("closed", "seen"),
        "missed": ("in_progress", ""),
        "by_patient": ("in_progress", ""),
        "by_clinic": ("in_progress", ""),
        "kept": ("in_progress", ""),
    }
    assert not later.messages.filter(purpose=Purpose.CANCELLATION).exists()
    assert not ended["by_clinic"].messages.filter(purpose=Purpose.CANCELLATION).exists(), "It was over already."
    assert ended["missed"].events.filter(kind=EventKind.APPOINTMENT, summary__endswith="did not come").exists()
    assert "Every appointment has its outcome" in text(parse(rita.get(DIARY, {"show": "outcome"})))


def test_who_may_not_see_enquiries_sees_no_appointments(client, db):
    client.force_login(person("Edith", "editor"))
    assert client.get(DIARY).status_code == 403
    enquiry = consultation()
    book_past(enquiry, timezone.now() - timedelta(hours=1))
    address = reverse("admin:enquiries_enquiry_appointment_outcome", args=[enquiry.pk])
    assert client.post(address, {"state": "came", "version": 1}).status_code == 403
    assert booked(enquiry)


def test_one_with_an_appointment_is_not_closed_or_marked_as_spam_and_erasing_takes_it_along(rita, staff):
    enquiry = consultation()
    step(rita, enquiry, "book", **TYPED)
    for action in ("close", "mark_as_spam"):
        chosen = {"action": action, "_selected_action": [str(enquiry.pk)], "sure": "yes", "outcome": "answered"}
        assert f"Not changed: {enquiry.reference}" in text(parse(rita.post(LIST, chosen, follow=True)))
    let_appointment_begin(enquiry)
    with pytest.raises(triage.MoveRefused, match="Record how the appointment went"):
        triage.triage(enquiry=enquiry, by=staff, to="closed", outcome="answered")
    gone = erasure.erase(enquiry=enquiry, by=staff)
    assert (gone.status, gone.appointment) == ("closed", None)
    assert not Appointment.objects.filter(enquiry=enquiry).exists()


# --- the feed ---


@pytest.mark.both
def test_the_feed_says_references_and_times_and_its_address_can_be_renewed(rita, client, staff):
    account = User.objects.get(first_name="Rita")
    mine, theirs = consultation(name="Mine Example"), consultation(email="2@example.com", name="Theirs Example")
    step(rita, mine, "book", **TYPED | {"person": str(registered(account).pk), "place": "Room 9"})
    step(rita, theirs, "book", **TYPED | {"time": "12:00"})
    page = reverse("admin:enquiries_enquiry_calendar")

    def address(response) -> str:
        [field] = [each for each in tree(response).iter("input") if each.get("id") == "feed-address"]
        return field.get("value").partition("/staff/")[2]

    def read(given: str):
        return client.get(f"/staff/{given}")

    assert "Make an address" in text(tree(rita.get(page)))
    first = address(rita.post(page, {"do": "make", "whose": "all"}, follow=True))
    answer = read(first)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer["Cache-Control"] and not answer.cookies
    for parsed in (
        {(str(each["summary"]), each.decoded("dtstart")) for each in Calendar.from_ical(answer.content).walk("VEVENT")},
        {(each.summary.value, each.dtstart.value) for each in vobject.readOne(answer.content.decode()).vevent_list},
    ):
        assert parsed == {
            (f"Appointment {mine.reference}", london(2027, 2, 3, 10, 30)),
            (f"Appointment {theirs.reference}", london(2027, 2, 3, 12)),
        }
    for told in ("Example", "@example.com", "Room 9", "phone", "Rita", "ATTENDEE", "LOCATION"):
        assert told not in answer.content.decode(), told
    second = address(rita.post(page, {"do": "make", "whose": "mine"}, follow=True))
    assert read(first).status_code == 404
    assert read(second).content.decode().count("BEGIN:VEVENT") == 1
    secret = CalendarFeed.objects.get().secret
    for guess in (f"calendar/{secret}.ics", "calendar/x.ics", second.replace(".ics", "x.ics")):
        assert read(guess).status_code == 404
    assert "/staff/calendar/…" in logs.without_secrets(f"GET /staff/{second} 200")
    step(rita, mine, "cancel", who="by_clinic")
    assert "BEGIN:VEVENT" not in read(second).content.decode()
    User.objects.filter(pk=account.pk).update(is_active=False)
    assert read(second).status_code == 404, "Whoever has left reads nothing."
    User.objects.filter(pk=account.pk).update(is_active=True)
    rita.post(page, {"do": "remove"})
    assert read(second).status_code == 404 and not CalendarFeed.objects.exists()
    recorded = [each.get_change_message() for each in LogEntry.objects.filter(user=account)]
    made = "Made a new address for the calendar."
    assert recorded == ["Removed the address of the calendar.", made, made], "Owners see it under Who did what."


@pytest.mark.once
def test_the_migration_keeps_every_time_that_enquiries_held(transactional_db, staff):
    at, now = {"ahead": 5, "over": -5, "left": -6, "seen": -7, "closed": -8}, timezone.now()
    made = {name: consultation(email=f"{name}@example.com") for name in (*at, "none")}
    whole = ProjectState.from_apps(apps)
    migration = import_module("enquiries.migrations.0023_appointments").Migration("0023_appointments", "enquiries")
    [move] = [each for each in migration.operations if isinstance(each, migrations.RunPython)]
    gone = [each for each in migration.operations if isinstance(each, migrations.RemoveField)]
    check = next(
        each for each in migration.operations if "enquiry_booked_has_appointment" in str(vars(each).get("constraint"))
    )
    before = migrated(
        whole,
        [
            RemoveConstraint("enquiry", "enquiry_booked_has_appointment"),
            migrations.AddField("enquiry", "appointment_at", models.DateTimeField(null=True)),
            migrations.AddField("enquiry", "appointment_by", models.CharField(max_length=10, default="")),
        ],
    )
    old = before.apps.get_model("enquiries", "Enquiry").objects
    try:
        done = {"status": "closed", "closed_at": now, "outcome": "answered"}
        columns = {"left": {"status": "in_progress"}, "seen": done | {"outcome": "seen"}, "closed": done}
        for name, days in at.items():
            given = {"status": "booked", "appointment_at": now + timedelta(days=days), "appointment_by": "video"}
            old.filter(pk=made[name].pk).update(**given | columns.get(name, {}))
    finally:
        migrated(before, [move, *gone, check])
    kept = {name: Appointment.objects.filter(enquiry=one).first() for name, one in made.items()}
    assert kept.pop("none") is None
    states = {"ahead": "booked", "over": "booked", "left": "not_recorded", "seen": "came", "closed": "not_recorded"}
    assert {name: one.state for name, one in kept.items()} == states
    for name, one in kept.items():
        assert (one.starts_at, one.channel) == (now + timedelta(days=at[name]), "video")
        assert one.uid.startswith(f"{made[name].reference}@"), (
            "The entry in the patient's calendar is moved, not doubled."
        )
        assert Enquiry.objects.get(pk=made[name].pk).appointment == (one if one.state == "booked" else None)


def test_the_migration_names_the_person_of_each_account(transactional_db, staff):
    """It makes a person of somebody who is in no list, and the website does not show them."""
    clive, rita = person("Clive", "clinician"), person("Rita", "reception")
    made = [consultation(email=f"{number}@example.com") for number in range(3)]
    migration = import_module("enquiries.migrations.0037_appointments_with_people").Migration("0037", "enquiries")
    account = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    former = [
        migrations.RemoveField("appointment", "with_whom"),
        migrations.AddField("appointment", "with_whom", account),
    ]
    before = migrated(ProjectState.from_apps(apps), former)
    try:
        old, at = before.apps.get_model("enquiries", "Appointment").objects, timezone.now()
        for enquiry, user in zip(made, (clive.pk, rita.pk, None), strict=True):
            given = {"uid": enquiry.reference, "channel": "phone", "booked_at": at, "starts_at": at + timedelta(days=1)}
            old.create(enquiry_id=enquiry.pk, with_whom_id=user, **given)
    finally:
        migrated(before, migration.operations)
    named = {each.uid: each.with_whom for each in Appointment.objects.select_related("with_whom")}
    first, second, third = (named[each.reference] for each in made)
    assert first == clive.team_member and third is None
    assert (second.account, second.name, second.shown) == (rita, "Rita", False)
