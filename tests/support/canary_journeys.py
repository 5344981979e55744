"""Every journey through the site with a marked word in every field (tests/support/canaries.py)."""

from django.db import connection
from django.test import Client

from enquiries.models import Enquiry, EnquiryKind, MessageState, OutgoingMessage
from factsheets.models import SafetyAdvice
from tests.support.assessment import page_data
from tests.support.canaries import MARKS
from tests.support.smtp import wait_for

CONSULTATION = {
    "name": f"{MARKS['name']} Finch",
    "email": MARKS["consultation email"],
    "contact_by": ["phone"],
    "phone": "020 7946 0977",
    "may_leave_voicemail": "no",
    "may_say_who_calls": "yes",
    "days": ["0"],
    "best_time": f"{MARKS['best time']} at dusk",
    "for_whom": "other",
    "their_name": MARKS["their name"],
    "they_are": "parent",
    "they_agree": "not_yet",
    "needs": ["interpreter"],
    "language": MARKS["language"],
    "needs_note": MARKS["needs"],
    "description": f"{MARKS['description']}: since this morning I can't pee.",
}
QUESTION = {
    "name": f"{MARKS['name']} Finch",
    "email": MARKS["question email"],
    "description": f"{MARKS['question']}: may I swim?",
}


def filled(kind: str, fields: dict, **more) -> dict:
    fields = {f"{kind}-{name}": value for name, value in (fields | more).items()}
    return fields | {MARKS["unknown field"]: MARKS["unknown field"]}


def reads(walker):
    for path in (
        "/",
        "/fact-sheets/about-back-pain/",
        "/fact-sheets/about-back-pain/pdf/",
        "/nothing/",
        "/get-help-now/",
    ):
        walker.get(path, utm_source=MARKS["query"])
    assert walker.get("/search/", q=MARKS["search"]).status == 200


def asks_for_a_report(walker):
    for number in range(1, 13):
        assert walker.post(f"/check/{number}/", page_data(number, limits="stops")).status == 303
    assert walker.follow(walker.post("/check/answers/", {})).status == 200
    given = {"name": f"{MARKS['name']} Finch", "email": MARKS["wrong email"], "sheet": "about-back-pain"}
    assert walker.post("/report/", filled("report", given)).status == 422
    given["email"] = MARKS["email"]
    assert "One more question" in walker.follow(walker.post("/report/", filled("report", given))).said
    page = walker.follow(walker.post("/report/", filled("report", given, include_answers="yes")))
    assert page.path == "/report/sent/" and MARKS["email"] in page.said
    refused = walker.follow(walker.post("/report/sent/change/", {"email": MARKS["wrong email"]}))
    assert "There is a problem" in refused.said
    page = walker.follow(walker.post("/report/sent/change/", {"email": MARKS["corrected email"]}))
    assert MARKS["corrected email"] in page.said
    walker.post("/report/sent/again/", {})


def asks_for_a_consultation(walker):
    short = {"name": CONSULTATION["name"], "email": MARKS["wrong email"], "sheet": "about-back-pain"}
    refused = walker.follow(walker.post("/consultation/", filled("consultation", short)))
    assert "There is a problem" in refused.said
    card = walker.follow(walker.post("/consultation/", filled("consultation", CONSULTATION)))
    assert MARKS["description"] in card.said and "999" in card.said
    check = walker.press(card, "Send it anyway")
    back = walker.press(check, "Change your")
    check = walker.press(back, "Continue")
    assert walker.press(check, "Send my request").path.startswith("/consultation/sent/")


def asks_a_question(walker):
    check = walker.follow(walker.post("/question/", filled("question", QUESTION)))
    assert walker.press(check, "Send my question").path.startswith("/question/sent/")
    walker.post("/question/", filled("question", QUESTION, website=MARKS["trap"]))
    assert walker.post("/question/", filled("question", QUESTION), **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert walker.ask("PUT", "/question/", MARKS["question"].encode()).status == 405
    assert (
        walker.post(
            "/question/", filled("question", QUESTION), **{"Content-Type": f"a/b; charset={MARKS['query']}"}
        ).status
        == 400
    )


def meets_a_fault(walker):
    """Real ones: the emergency advice is not loaded, and a table is gone."""
    advice = list(SafetyAdvice.objects.all())
    SafetyAdvice.objects.all().delete()
    assert walker.follow(walker.post("/consultation/", filled("consultation", CONSULTATION))).status == 500
    SafetyAdvice.objects.bulk_create(advice)
    again = filled("question", QUESTION, description=f"{MARKS['question']} and may I run?")
    check = walker.follow(walker.post("/question/", again))
    wait_for(worker_is_idle, what="the mail worker's pause")  # or it would run into the fault while it sends an email
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE enquiries_enquiryevent RENAME TO elsewhere")
        try:
            assert walker.press(check, "Send my question").status in {500, 503}
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO enquiries_enquiryevent")


def worker_is_idle() -> bool:
    in_hand = OutgoingMessage.objects.filter(state=MessageState.SENDING)
    return not in_hand.exists() and not OutgoingMessage.objects.due().exists()


def opens_the_summary(walker, link):
    walker.get(link)
    refused = walker.follow(walker.post(link, {"email": MARKS["guessed email"]}))
    assert "Enter the email address that we sent this link to" in refused.said
    opened = walker.follow(walker.post(link, {"email": MARKS["corrected email"]}))
    assert opened.status == 200
    given = opened.document.find(".//input[@name='pass']").get("value")
    made = walker.post(f"{link}pdf/", {"pass": given})
    assert made.headers["Content-Type"] == "application/pdf"
    return made


def sees_to_the_request(walker, link):
    refused = walker.follow(walker.post(link, {"email": MARKS["guessed email"]}))
    assert "Enter the email address that we sent this link to" in refused.said
    opened = walker.follow(walker.post(link, {"email": MARKS["consultation email"]}))
    adding = walker.press(opened, "Add something")
    check = walker.press(adding, "Continue", **{"add-text": f"{MARKS['added']}: I am away on Monday."})
    done = walker.press(check, "Send it")
    timing = walker.press(done, "Change the times")
    check = walker.press(
        timing, "Continue", **{"times-days": ["1"], "times-day_parts": ["0"], "times-best_time": MARKS["new time"]}
    )
    done = walker.press(check, "Save the new times")
    assert walker.press(walker.press(done, "Withdraw my"), "Yes, withdraw").status == 200


def works_through_the_inbox(walker, staff):
    guessing = {"username": MARKS["staff name"], "password": MARKS["password"]}
    assert walker.post("/admin/login/", guessing).status == 200
    signed_in = Client()
    signed_in.force_login(staff)
    walker.cookies["sessionid"] = signed_in.cookies["sessionid"].value
    inbox = walker.get("/admin/enquiries/enquiry/", q=MARKS["search"])
    assert inbox.status == 200
    assert walker.post("/admin/enquiries/enquiry/person/", {"typed": MARKS["consultation email"]}).status == 200
    flagged = Enquiry.objects.filter(safety_signs__isnull=False).get()
    page = walker.get(flagged.get_admin_url())
    assert MARKS["name"] in page.said
    walker.post(f"/admin/enquiries/enquiry/{flagged.pk}/words/", {})
    step(walker, flagged, "safety", note=MARKS["safety note"])
    asked = Enquiry.objects.filter(kind=EnquiryKind.QUESTION, status="new", quarantine_reason="").first()
    step(walker, asked, "call", result="no_answer", note=MARKS["call note"])
    preview = step(walker, asked, "reply", text=f"Dear patient, {MARKS['reply']}")
    assert preview.status == 200
    form_of = filled("reply", {"text": f"Dear patient, {MARKS['reply']}"})
    asked.refresh_from_db()
    walker.post(
        f"/admin/enquiries/enquiry/{asked.pk}/step/reply/", form_of | {"reply-version": asked.version, "send": "yes"}
    )
    walker.press(walker.get(asked.get_admin_url()), "Save", note=MARKS["note"])
    export = {"which": "open", "reason": f"{MARKS['reason']} for the partners", "personal": "on", "export": "yes"}
    taken = walker.post("/admin/enquiries/enquiry/export/", export)
    assert taken.headers["Content-Type"].startswith("text/csv")
    for path in (
        "/admin/",
        "/admin/enquiries/export/",
        "/admin/enquiries/outgoingmessage/",
        f"/admin/enquiries/enquiry/{asked.pk}/history/",
    ):
        assert walker.get(path).status == 200


def step(walker, enquiry, name: str, **typed):
    enquiry.refresh_from_db()
    data = {f"{name}-{field}": value for field, value in typed.items()} | {f"{name}-version": enquiry.version}
    return walker.follow(walker.post(f"/admin/enquiries/enquiry/{enquiry.pk}/step/{name}/", data))
