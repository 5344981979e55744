"""The self-assessment is shown only while a named clinician has approved its questions and its red flags."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import get_resolver, reverse

from enquiries.assessment import question_approval, questions
from factsheets import approvals
from factsheets.models import Approval, FactSheet, SafetyAdvice, SafetyEdition, Subject, TeamMember
from tests.support.assessment import finish
from tests.support.desk import errors_of, person
from tests.support.edition import release
from tests.support.html import text, tree

# What somebody may send beside the form: the name and number are in the record of whoever signs.
CLINICIAN = {"name": "Someone Else", "register": "NMC", "number": "12A3456B", "confirm": "on"}
OFF = "The symptom check is not available at the moment"


@pytest.fixture
def as_on_the_real_site(settings, db):
    settings.CHECK_NEEDS_APPROVAL = True


def page_of(subject: str) -> str:
    return reverse("admin:factsheets_approval_subject", args=[subject])


def approve(client, subject: str, **changes):
    """As a clinician does it: opens the page, reads it, fills in the form it has."""
    opened = client.get(page_of(subject))
    [digest] = [each.get("value") for each in tree(opened).iter("input") if each.get("name") == "digest"]
    return client.post(page_of(subject), {"digest": digest, **CLINICIAN, **changes}, follow=True)


def ada():
    """Dr Ada Example's account, as an owner entered her."""
    carl = person("Carl", "clinician")
    TeamMember.objects.filter(account=carl).update(name="Ada Example", role="", register="GMC", number="1234567")
    return carl


def approve_both(client):
    client.force_login(ada())
    for subject in Subject.values:
        assert approve(client, subject).status_code == 200
    client.logout()


def addresses() -> list[str]:
    """Every address under /check/, from the site's own list of addresses."""
    found = [each for each in get_resolver().url_patterns if str(each.pattern) == "check/"]
    if not found:
        found = [
            inner
            for each in get_resolver().url_patterns
            for inner in getattr(each, "url_patterns", [])
            if str(inner.pattern) == "check/"
        ]
    names = [each.name for each in found[0].url_patterns]
    return [reverse(f"enquiries:{name}", args=[2] if name == "check_question" else []) for name in names]


def test_without_approval_every_address_of_it_says_what_to_do_instead(client, as_on_the_real_site):
    assert len(addresses()) >= 10
    for address in addresses():
        for response in (client.get(address), client.post(address, {"emergency": "none"})):
            said = text(tree(response))
            assert response.status_code == 200 and OFF in said, address
            assert "noindex" in response["X-Robots-Tag"]
            for record in SafetyAdvice.objects.filter(tier__in=["emergency", "urgent"]):
                assert record.text in said, f"{address} leaves out {record.code}."
            assert "020 7946 0958" in said
            assert not response.cookies


def test_answers_that_were_given_before_are_neither_judged_nor_offered_with_a_form(client, settings, db):
    finish(client)
    assert "answers" in text(tree(client.get("/report/")))
    settings.CHECK_NEEDS_APPROVAL = True
    for form in ("/report/", "/consultation/"):
        assert "include_answers" not in client.get(form).content.decode(), form
    response = client.get("/check/result/")
    assert OFF in text(tree(response))
    assert response.cookies["check"]["max-age"] == 0


def test_nothing_leads_to_it_while_it_is_off(client, settings, db):
    pages = ["/", "/fact-sheets/", "/fact-sheets/about-back-pain/", "/nowhere/", "/search/?q=symptom+checker"]
    for address in pages:
        assert b'href="/check/"' in client.get(address).content, address
    settings.CHECK_NEEDS_APPROVAL = True
    # What was kept ready for readers is bound to the content; approving and editing change that, a setting does not.
    approvals.ContentVersion.changed()
    for address in pages:
        assert b'href="/check/"' not in client.get(address).content, address


@pytest.mark.long
def test_two_approvals_open_it_and_name_the_clinician(client, as_on_the_real_site):
    client.force_login(ada())
    approve(client, Subject.QUESTIONS)
    assert OFF in text(tree(client.get("/check/")))
    TeamMember.objects.filter(name="Ada Example").update(number="7654321")
    approve(client, Subject.RED_FLAGS)
    client.logout()
    said = text(tree(client.get("/check/")))
    assert OFF not in said
    assert "Ada Example (GMC 1234567)" in said and "Ada Example (GMC 7654321)" in said
    assert b'href="/check/"' in client.get("/").content
    assert f"Version {questions.VERSION}" in said and "edition 1" in said
    made = Approval.objects.get(subject="red_flags")
    assert (made.actor, made.number, made.version.split(",")[0]) == ("Carl", "7654321", "edition 1")


@pytest.mark.long
def test_an_edit_of_a_red_flag_ends_the_approval_and_says_so(client, as_on_the_real_site):
    approve_both(client)
    assert OFF not in text(tree(client.get("/check/")))
    record = SafetyAdvice.objects.get(code="RF-R2")
    SafetyAdvice.objects.filter(pk=record.pk).update(text="the pain is odd")
    assert OFF in text(tree(client.get("/check/")))
    client.force_login(person("Ed", "editor"))
    overview = text(tree(client.get(reverse("admin:factsheets_approval_changelist"))))
    assert "Ada Example (GMC 1234567) approved earlier wording on" in overview
    assert "The red flags have changed since." in overview
    SafetyAdvice.objects.filter(pk=record.pk).update(text=record.text)
    client.logout()
    assert OFF not in text(tree(client.get("/check/"))), "The same words are approved words."


@pytest.mark.parametrize(
    "field", ["code", "tier", "text", "short_text", "on_compact_card", "action", "in_assessment", "position"]
)
def test_whatever_patients_see_of_a_red_flag_is_part_of_the_approval(db, field):
    before = approvals.standing("red_flags").digest
    other = {
        "code": "RF-X9",
        "tier": "urgent",
        "in_assessment": False,
        "on_compact_card": not SafetyAdvice.objects.get(code="RF-E2").on_compact_card,
        "position": 85,
    }.get(field, "quite another text")
    SafetyAdvice.objects.filter(code="RF-E2").update(**{field: other})
    assert approvals.standing("red_flags").digest != before


@pytest.mark.long
def test_a_change_of_the_questions_ends_the_approval(client, as_on_the_real_site, monkeypatch):
    approve_both(client)
    last = questions.RULES[-1]
    assert not hasattr(questions, "ADDED")
    monkeypatch.setattr(questions, "RULES", (*questions.RULES[:-2], last))
    assert OFF in text(tree(client.get("/check/")))
    monkeypatch.undo()
    assert approvals.standing("questions").approval


@pytest.mark.long
def test_new_content_of_a_release_ends_the_approval_and_is_an_edition(client, as_on_the_real_site, tmp_path):
    approve_both(client)
    release(tmp_path, "RF-R2", text="it is quite another thing")
    assert OFF in text(tree(client.get("/check/")))
    newest = SafetyEdition.objects.first()
    assert (newest.number, newest.step) == (2, "installed")
    assert len(newest.changes) == 1
    assert newest.changes[0].startswith("Changed: ") and newest.changes[0].endswith("(RF-R2)")
    call_command("load_content", folder=tmp_path, verbosity=0)
    assert SafetyEdition.objects.count() == 2


def test_what_changed_while_it_was_open_is_not_approved(client, db):
    client.force_login(person("Carl", "clinician"))
    opened = approvals.standing("red_flags").digest
    SafetyAdvice.objects.filter(code="RF-E2").update(text="quite another text")
    response = client.post(page_of("red_flags"), {"digest": opened, **CLINICIAN})
    assert response.status_code == 422
    assert "The wording changed while you were reading it" in errors_of(response)
    assert not Approval.objects.exists()


@pytest.mark.long
def test_an_approval_needs_a_registered_clinician_and_names_them_as_the_owner_did(client, db):
    client.force_login(carl := ada())
    unticked = approve(client, "questions", confirm="")
    assert unticked.status_code == 422 and "Tick the box once you have read it all" in errors_of(unticked)
    record = TeamMember.objects.filter(account=carl)
    record.update(number="")
    digest = approvals.standing("questions").digest
    nameless = client.post(page_of("questions"), {"digest": digest, **CLINICIAN})
    assert nameless.status_code == 422 and "Ask an owner to enter yours" in text(tree(nameless))
    unsigned = tree(client.get(page_of("questions")))
    assert not unsigned.findall(".//input[@name='digest']")
    [place] = unsigned.findall(".//section[@aria-labelledby='approve']")
    assert "Ask an owner to enter yours" in text(place) and not place.findall(".//a")
    client.force_login(olu := User.objects.create_superuser("olu"))
    [place] = tree(client.get(page_of("questions"))).findall(".//section[@aria-labelledby='approve']")
    assert "Are you a clinician? Enter yours under “People who work here”" in text(place)
    assert "If not, ask a clinician to do this." in text(place)
    people = "admin:factsheets_teammember"
    assert [each.get("href") for each in place.findall(".//a")] == [reverse(f"{people}_changelist")]
    mine = TeamMember.objects.create(name="Olu", account=olu)
    sheet = FactSheet.objects.filter(state="published").first()
    for address in (page_of("questions"), reverse("admin:factsheets_factsheet_desk", args=[sheet.pk])):
        [way] = [each for each in tree(client.get(address)).iter("a") if text(each) == "Enter yours"]
        assert way.get("href") == reverse(f"{people}_change", args=[mine.pk])
    client.force_login(carl)
    assert not Approval.objects.exists()
    record.update(number="1234567")
    assert "You sign as Ada Example (GMC 1234567)" in text(tree(client.get(page_of("questions"))))
    approve(client, "questions")
    record.update(name="Ada Newname")
    assert Approval.objects.values_list("name", "register", "number").get() == ("Ada Example", "GMC", "1234567")


@pytest.mark.long
def test_a_clinician_can_switch_it_off_and_says_why(client, as_on_the_real_site):
    approve_both(client)
    client.force_login(person("Cora", "clinician"))
    address = reverse("admin:factsheets_approval_withdraw", args=["questions"])
    assert "Give a reason in one sentence" in text(tree(client.post(address, {"reason": "no"}, follow=True)))
    said = text(tree(client.post(address, {"reason": "Question 4 misleads people."}, follow=True)))
    assert "Cora withdrew the approval on" in said and "Question 4 misleads people." in said
    assert OFF in text(tree(client.get("/check/")))


def test_editors_and_reception_cannot_approve(client, db):
    digest = approvals.standing("questions").digest
    for role in ("editor", "reception"):
        client.force_login(person(role.title(), role))
        assert client.post(page_of("questions"), {"digest": digest, **CLINICIAN}).status_code == 403
    assert not Approval.objects.exists()


def test_a_decision_is_never_changed_or_deleted(client, db):
    approve_both(client)
    made = Approval.objects.first()
    made.number = "7654321"
    with pytest.raises(TypeError):
        made.save()
    with pytest.raises(TypeError):
        made.delete()


def test_the_page_shows_everything_that_is_approved(client, db):
    client.force_login(person("Carl", "clinician"))
    shown = tree(client.get(page_of("questions")))
    said = text(shown)
    raw = {name for table in question_approval.content().values() for name in table}
    headings = [text(each) for each in shown.iter("summary")]
    assert len(headings) > 40 and "Red flags under when to see a GP, where the result is self-care" in headings
    assert not raw & set(headings), "A new constant needs its words in question_approval.TITLES."
    assert not {"if_checked", "with_see_gp", "SEE_GP"} & {
        text(each) for tag in ("dt", "td") for each in shown.iter(tag)
    }
    for question in questions.QUESTIONS:
        for part in question.parts:
            assert part.text in said
            for option in part.options:
                assert option.label in said
    for word in _every_text(approvals.plain(approvals.of("questions").content())):
        assert " ".join(word.split()) in said, word
    said = text(tree(client.get(page_of("red_flags"))))
    for record in SafetyAdvice.objects.all():
        assert record.text in said and record.action in said and record.short_text in said


def _every_text(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from _every_text(each)
    elif isinstance(value, list):
        for each in value:
            yield from _every_text(each)
    elif isinstance(value, str) and " " in value:
        yield value


def test_check_deploy_names_what_is_not_approved(client, db):
    from backcare.ops.checks import clinical_sign_off

    assert [each.id for each in clinical_sign_off(None)] == ["backcare.E017", "backcare.E018"]
    assert "No clinician has approved the red flags yet" in clinical_sign_off(None)[1].msg
    approve_both(client)
    assert clinical_sign_off(None) == []


def test_a_local_run_shows_it_without_approval_and_says_that_it_awaits_review(client, db):
    assert "Awaiting clinical review" in text(tree(client.get("/check/")))
