"""The first page of the desk: its numbers, the lists behind them, who sees which, and what it costs."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backcare.ops import checks
from enquiries import clock
from enquiries.inbox import dashboard
from enquiries.mail import wordings
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Enquiry, OutgoingMessage, ReplyTemplate, Status
from factsheets import claims_guard, second_reading
from factsheets.admin.notice import WHEN
from factsheets.models import GuardOverride, KeptClaim, SearchMiss, SharedDraft, SiteNotice
from tests.conftest import consultation, give_signs, report
from tests.support.desk import person, save, take, values_of
from tests.support.html import text, tree
from tests.support.inbox import whole_status
from tests.support.outbox import question
from tests.support.reminders import set_due

INDEX = "/admin/"
SVG = "{http://www.w3.org/2000/svg}"


def page_of(client, role: str):
    client.force_login(person("Rita", role))
    return client.get(INDEX)


def headings(response) -> list[str]:
    return [text(each) for each in tree(response).iter("h2")]


def part(response, name: str):
    """The section of the page that a heading with this id names."""
    [found] = [each for each in tree(response).iter("section") if each.get("aria-labelledby") == name]
    return found


def links(element) -> dict[str, str]:
    return {each.get("href"): text(each) for each in element.iter("a")}


def change(enquiry, **columns):
    columns = whole_status(columns.get("status", "new")) | columns
    Enquiry.objects.filter(pk=enquiry.pk).update(**columns)


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_each_role_sees_its_own_blocks_and_no_others(client, db):
    consultation()
    ours = {"Enquiries", "Last four weeks", "Content"}
    for role, sees in (("reception", {"Enquiries", "Last four weeks"}), ("editor", {"Content"}), ("clinician", ours)):
        client.force_login(person(role.title(), role))
        assert ours & set(headings(client.get(INDEX))) == sees, role


def test_a_new_clinic_is_told_how_to_begin(client, db):
    response = page_of(client, "reception")
    assert "No enquiries yet" in headings(response)
    steps = links(part(response, "first-steps"))
    assert {"/consultation/", "/admin/enquiries/enquiry/"} <= set(steps)
    assert "Enquiries" not in headings(response)


def test_an_old_clinic_without_recent_enquiries_is_told_so(client, db):
    change(consultation(), created_at=days_ago(40), status=Status.CLOSED)
    assert "No enquiries in the last four weeks." in text(part(page_of(client, "reception"), "four-weeks"))


@pytest.mark.both
@pytest.mark.long
def test_today_says_in_words_what_is_wrong_and_leads_there(client, db):
    flagged, late, failed = consultation(name="A"), consultation(name="B"), consultation(name="C")
    give_signs([flagged])
    # Early on a working day the promise of each would be for that day.
    change(flagged, reply_by=days_ago(-5))
    change(late, reply_by=days_ago(1), created_at=days_ago(3))
    change(failed, mail_failed=True, reply_by=days_ago(-5))
    OutgoingMessage.objects.filter(enquiry=late).update(created_at=days_ago(1), next_attempt_at=days_ago(1))
    today = part(page_of(client, "reception"), "enquiries")
    cards = [text(each) for each in today.iter("li")]
    assert [card.split(":")[0] for card in cards] == [
        "Warning signs 1",
        "Overdue 1",
        "Due today 0",
        "Failed emails 1",
        "Longest wait 3 days",
        "Appointments today 0",
        "Oldest email waiting to send 1 day",
    ]
    assert "Do this one first: someone may need help now." in cards[0]
    assert "1 person did not hear from us by the time we promised. Answer this one next." in cards[1]
    assert "No replies due today." in cards[2]
    assert "Overdue" in cards[4] and late.reference in cards[4]
    assert "Emails are not being sent. Tell the person who looks after the site." in cards[6]
    assert late.get_admin_url() in links(today)
    for address, words in links(today).items():
        response = client.get(address)
        assert response.status_code == 200
        if "queue=" in address:
            assert f"{words.split(':')[0]} enquir" in text(tree(response)) or words.startswith("0"), address


def test_a_quiet_day_says_that_all_is_well(client, db):
    change(consultation(), status=Status.CLOSED, first_contact_at=timezone.now())
    OutgoingMessage.objects.update(state="sent", sent_at=timezone.now())
    words = text(part(page_of(client, "reception"), "enquiries"))
    assert "Nothing overdue." in words
    assert "Everyone has heard from us." in words
    assert "No failed emails." in words


def some_weeks():
    """Of the newest week: one on time, one late, one overdue, one not promised anything, one report. Of the first: one on time."""
    now = timezone.now()
    on_time = question(email="1@example.com")
    change(on_time, created_at=days_ago(2), reply_by=days_ago(1), first_contact_at=days_ago(2) + timedelta(hours=1))
    late = consultation(email="2@example.com")
    change(late, created_at=days_ago(3), reply_by=days_ago(2), first_contact_at=days_ago(1), contact_attempts=2)
    overdue = consultation(email="3@example.com")
    change(overdue, created_at=days_ago(3), reply_by=days_ago(2), contact_attempts=3)
    change(question(email="4@example.com"), reply_by=None)
    first = question(email="5@example.com")
    change(first, created_at=days_ago(25), reply_by=days_ago(23), first_contact_at=days_ago(24), status=Status.CLOSED)
    withdrawn = question(email="6@example.com")
    change(withdrawn, created_at=days_ago(5), reply_by=days_ago(4), status=Status.CLOSED, outcome="withdrawn")
    change(question(email="7@example.com"), created_at=days_ago(3), reply_by=days_ago(2), status=Status.SPAM)
    change(question(email="8@example.com"), created_at=now - timedelta(days=28, hours=24), reply_by=days_ago(28))


def test_the_four_weeks_count_what_came_and_who_was_answered_on_time(client, sheet):
    some_weeks()
    report(sheet)
    weeks = dashboard.counted(now=timezone.now())
    assert [week["all"] for week in weeks] == [1, 0, 0, 6]
    newest = weeks[-1]
    assert (newest["consultation"], newest["question"], newest["report"]) == (2, 3, 1)
    assert (newest["on_time"], newest["late"], newest["answered"]) == (1, 2, 2)
    assert (newest["calls_1"], newest["calls_2"], newest["calls_3"], newest["in_vain"]) == (0, 1, 1, 1)
    words = text(part(page_of(client, "reception"), "on-time"))
    late = "2 people heard from us late or are still waiting."
    assert f"50% answered by the time we promised. Too low: our target is 90%. {late}" in words
    assert "1 person could not be reached in three or more calls." in text(part(client.get(INDEX), "calls"))


@pytest.mark.both
@pytest.mark.long
def test_every_number_of_a_table_leads_to_as_many_enquiries(client, sheet):
    some_weeks()
    report(sheet)
    response = page_of(client, "reception")
    block = part(response, "four-weeks")
    followed = 0
    for table in block.iter("table"):
        for cell in table.iter("td"):
            for link in cell.iter("a"):
                listed = client.get(link.get("href"))
                assert len(listed.context["cl"].result_list) == int(text(link)), link.get("href")
                assert "Showing: " in text(tree(listed)), "The list does not say what it is cut down to."
                followed += 1
    assert followed >= 12


@pytest.mark.parametrize("given", ["nothing", "late.yesterday", "late.2026-13-01", ".2026-11-15"])
def test_a_part_that_no_number_leads_to_is_no_error_and_no_filter(staff_client, db, given):
    consultation()
    response = staff_client.get("/admin/enquiries/enquiry/", {"part": given})
    assert response.status_code == 200
    assert len(response.context["cl"].result_list) == 1


def test_every_chart_has_its_table_and_the_same_numbers(client, sheet):
    some_weeks()
    for chart in list(part(page_of(client, "reception"), "four-weeks").iter("section"))[1:]:
        [table], [drawing] = list(chart.iter("table")), list(chart.iter(f"{SVG}svg"))
        assert drawing.get("role") == "img" and drawing.get("aria-label")
        assert not [each for each in drawing.iter() if each.get("style") or each.get("fill")], (
            "Looks belong in the stylesheet."
        )
        in_table = [text(cell) for row in table.iter("tr") for cell in row.iter("td")]
        above = [text(each) for each in drawing.iter(f"{SVG}text") if each.get("class") != "label"]
        assert above and set(above) <= set(in_table)


def test_working_minutes_of_many_are_those_of_the_clock(db):
    hours, now = clock.load().hours, timezone.now()
    first = timezone.localdate(now) - timedelta(days=27)
    many = dashboard.WorkingMinutes(hours, first, timezone.localdate(now))
    moments = [
        dashboard.midnight(first) + timedelta(hours=hour) for hour in (0, 1, 9, 10.5, 17, 30, 58, 100, 200, 333, 600)
    ]
    pairs = [(start, end) for start in moments for end in moments]
    assert {many.between(*pair) for pair in pairs} != {0}
    for start, end in pairs:
        assert many.between(start, end) == hours.working_minutes(start, end), (start, end)


def test_the_median_is_of_the_answers_of_each_week(db):
    some_weeks()
    minutes = dashboard.first_contacts(clock.load().hours, now=timezone.now())
    assert [len(week) for week in minutes] == [1, 0, 0, 2]
    assert dashboard.middle([]) is None
    assert dashboard.middle([5, 600, 61]) == 61


def test_columns_are_as_tall_as_their_numbers():
    drawn = dashboard.columns(["a", "b"], [[10], [5]], [["10"], ["5"]], line=20)
    tall = [each.height for each in drawn["columns"]]
    assert tall[0] == 2 * tall[1] > 0
    assert drawn["line"] == dashboard.TOP
    empty = dashboard.columns(["a"], [[None]], [["–"]])
    assert empty["columns"][0].height == 0


@pytest.mark.long
def test_content_names_what_wants_an_editor(client, sheet):
    set_due(sheet, -3)
    GuardOverride.objects.create(
        sheet=sheet, key="x", rule="x", place="x", sentence="x", reason="It quotes.", actor="Sam"
    )
    SearchMiss.objects.create(digest="x", text="sciatic yoga", times=9, days=3)
    content = part(page_of(client, "editor"), "content-block")
    words = text(content)
    assert "1 overdue: a clinician needs to review it." in words
    assert "sciatic yoga: 9 times" in words
    assert f"/admin/factsheets/factsheet/{sheet.pk}/desk/#guard" in links(content)
    for address in links(content):
        assert client.get(address).status_code == 200, address
    [listed] = [address for address in links(content) if "review_due_on" in address]
    assert len(client.get(listed).context["cl"].result_list) == 1


@pytest.mark.both
@pytest.mark.long
def test_what_the_claims_guard_found_in_a_notice_a_wording_or_a_reply_is_named_with_who_let_it_stand_and_why(
    staff_client, staff
):
    now = timezone.localtime()
    assert "All wording passes the claims guard." in text(part(staff_client.get(INDEX), "content-block"))
    because = {"kept_because": "It quotes a patient."}
    save(
        staff_client,
        "/admin/factsheets/sitenotice/add/",
        text="We cure backs.",
        starts_at=now.strftime(WHEN),
        ends_at=(now + timedelta(days=2)).strftime(WHEN),
        **because,
    )
    assert "All wording passes" in text(part(staff_client.get(INDEX), "content-block")), "Nobody reads a draft yet."
    take(staff_client, SharedDraft.objects.get(), "publish")
    page = reverse("admin:enquiries_wording", args=["new_link"])
    typed = values_of(staff_client.get(page)) | {"heading": "Acupuncture cures sciatica.", "do": "save"}
    staff_client.post(page, typed | because)
    template = ReplyTemplate.objects.first()
    address = reverse("admin:enquiries_replytemplate_change", args=[template.pk])
    save(staff_client, address, text="Hello {name},\n\nWe cure sciatica.", **because)
    exceptions = part(staff_client.get(INDEX), "content-block")
    words, when = text(exceptions), f"Sam, {now:%-d %B %Y}: It quotes a patient."
    assert "Approved exceptions 3" in words and "All wording passes" not in words
    notice = reverse("admin:factsheets_sitenotice_change", args=[SiteNotice.objects.get().pk])
    for url, title, said in (
        (notice, "Notice", "We cure backs."),
        (page, WORDINGS["new_link"].name, "Acupuncture cures sciatica."),
        (address, f"Reply template “{template.name}”", "We cure sciatica."),
    ):
        assert links(exceptions)[url] == title and staff_client.get(url).status_code == 200
        assert f"{title}: {said} {when}" in words
    # An editor reads them too, with a link to the notice, and without those that would be refused.
    seen = part(page_of(staff_client, "editor"), "content-block")
    assert f"Notice: We cure backs. {when}" in text(seen)
    assert {notice, page, address} & set(links(seen)) == {notice}
    # There is no clinician, so one person could. When there is one they agree, and until then nothing else is kept.
    assert words.count("By one person.") == len(checks.claims_of_one_person(None)) == 3
    staff_client.force_login(staff)
    client, clive = Client(), person("Clive", "clinician")
    client.force_login(clive)
    offered = [each.get("action") for each in part(client.get(INDEX), "content-block").iter("form")]
    assert len(offered) == 3
    assert staff_client.post(offered[0]).status_code == 403, "She is no clinician."
    assert "You agreed that “We cure backs.” may be used." in text(tree(client.post(offered[0], follow=True)))
    assert "It quotes a patient. Clive agreed." in text(part(staff_client.get(INDEX), "content-block"))
    assert len(checks.claims_of_one_person(None)) == 2
    typed |= {"heading": "It heals you.", "seen": "1"} | because
    add = reverse("admin:factsheets_sitenotice_add")
    later = {"starts_at": (now + timedelta(days=3)).strftime(WHEN), "ends_at": (now + timedelta(days=4)).strftime(WHEN)}
    for refused in (
        staff_client.post(page, typed),
        save(staff_client, address, text="Hello {name},\n\nIt heals you.", **because),
        save(staff_client, add, text="It heals you.", **later, **because),
    ):
        assert "A clinician has to agree first: Clive. They now see “It heals you.”" in text(tree(refused))
        assert "It heals you." in refused.content.decode()
    assert wordings.newest("new_link").number == 1 and not SharedDraft.objects.filter(is_open=True).exists()
    waiting = "Waiting for a clinician, not in use: It heals you. Sam"
    assert waiting in text(part(client.get(INDEX), "content-block"))
    # Asked long ago, it has left the list; asked again it is there, with the reason that is given now.
    KeptClaim.objects.filter(agreed_at=None, alone=False).update(at=now - timedelta(days=90))
    assert waiting not in text(part(client.get(INDEX), "content-block"))
    staff_client.post(page, typed | {"kept_because": "The patient asked for it."})
    assert "The patient asked for it." in text(part(client.get(INDEX), "content-block"))
    # The only clinician may not keep unseen what somebody else asked about, and can agree to it.
    assert "Clive" in second_reading.refusal(claims_guard.free_text("text", "It heals you."), "So it does.", clive)
    [asked] = [
        each.get("action")
        for each in part(client.get(INDEX), "content-block").iter("form")
        if each.get("action") not in offered
    ]
    client.post(asked)
    assert "It is used from now on." in text(tree(staff_client.post(page, typed, follow=True)))
    recorded = text(tree(staff_client.get("/admin/who-did-what/", {"kind": "wording"})))
    assert "Agreed that a wording may be kept: “It heals you.” Asked by Sam." in recorded
    assert "“We cure sciatica.” Why: It quotes a patient. By one person" in recorded
    # What nobody reads any longer is no exception.
    SiteNotice.objects.update(starts_at=now - timedelta(days=2), ends_at=now - timedelta(days=1))
    ReplyTemplate.objects.update(in_use=False)
    wordings.save(WORDINGS["new_link"], WORDINGS["new_link"].default, by=staff, seen=2)
    assert "All wording passes the claims guard." in text(part(staff_client.get(INDEX), "content-block"))


@pytest.mark.long
def test_the_page_costs_as_many_queries_for_many_enquiries_as_for_few(staff_client, sheet):
    some_weeks()
    staff_client.get(INDEX)  # what is looked up once
    with CaptureQueriesContext(connection) as few:
        staff_client.get(INDEX)
    for number in range(12):
        change(question(email=f"more{number}@example.com"), first_contact_at=timezone.now(), reply_by=timezone.now())
    with CaptureQueriesContext(connection) as many:
        staff_client.get(INDEX)
    assert len(many) == len(few)
    ours = [query["sql"] for query in many if "enquiries_" in query["sql"]]
    assert 6 <= len(ours) <= 14, ours  # two of them for the words that the clinic writes


def test_no_number_needs_a_look_at_all_enquiries(staff_client, sheet):
    """The plan that the database makes: each look at enquiries goes through an index."""
    some_weeks()
    with CaptureQueriesContext(connection) as made:
        staff_client.get(INDEX)
    if connection.vendor == "postgresql":
        pytest.skip("With a handful of rows PostgreSQL reads them all, and is right.")
    for query in made:
        if 'FROM "enquiries_enquiry"' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plan = " ".join(row[-1] for row in cursor.fetchall())
            assert "USING INDEX" in plan or "USING COVERING INDEX" in plan, (plan, query["sql"])
