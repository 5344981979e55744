"""Who may open which page of the desk: every page there is, as every role, against the table below."""

import json
import logging
import re
from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from backcare.staff.models import Authenticator
from enquiries.actions import by_patient
from enquiries.assessment import handover
from enquiries.models import (
    Absence,
    Assessment,
    Closure,
    Enquiry,
    EventKind,
    Export,
    ReplyTemplateEdition,
    WordingEdition,
)
from factsheets import approvals, shared_revisions
from factsheets.models import FactSheet, SearchMiss, SharedDraft, SharedEdition, SiteNotice
from tests.conftest import consultation, give_signs
from tests.support.desk import person
from tests.support.html import text, tree

ROLES = {"A": "anonymous", "S": "staff without a role", "R": "reception", "C": "clinician", "E": "editor", "O": "owner"}
# Who gets each page.
PAGES_OF = {
    # Nobody: no log is added to, no enquiry or sheet is deleted by hand. The second step of signing in needs the first.
    "": """
        autocomplete code first_owner enquiries_clinichours_add enquiries_clinichours_delete enquiries_enquiry_add
        enquiries_enquiry_delete enquiries_export_add enquiries_export_delete enquiries_outgoingmessage_add
        enquiries_outgoingmessage_delete enquiries_replytemplate_delete factsheets_approval_add factsheets_approval_delete
        factsheets_factsheet_delete factsheets_safetyadvice_add
        factsheets_safetyadvice_delete factsheets_searchmiss_add
        factsheets_wordlist_add factsheets_wordlist_delete set_up
    """,
    # The owner.
    "O": """
        account account_deactivate account_hand_over account_second_factor accounts audit clinic clinic_earlier clinic_email invite
        enquiries_absence_add enquiries_absence_change enquiries_absence_changelist
        enquiries_absence_delete enquiries_absence_history enquiries_enquiry_person enquiries_export_change
        enquiries_export_changelist
        enquiries_export_history enquiries_wording enquiries_wordingedition_changelist
        factsheets_claim_add factsheets_claim_delete factsheets_figure_delete
        factsheets_sitenotice_delete
        factsheets_teammember_add factsheets_teammember_change factsheets_teammember_changelist
        factsheets_teammember_delete factsheets_teammember_history
        factsheets_searchmiss_delete factsheets_source_delete factsheets_topic_delete statistics
    """,
    "RO": """
        enquiries_clinichours_change enquiries_clinichours_changelist enquiries_clinichours_history
        enquiries_closure_add enquiries_closure_change enquiries_closure_changelist enquiries_closure_delete
        enquiries_closure_history
    """,
    # What patients ask.
    "RCO": """
        enquiries_enquiry_change enquiries_enquiry_changelist enquiries_enquiry_export enquiries_enquiry_fold
        enquiries_enquiry_history enquiries_enquiry_appointments enquiries_enquiry_calendar
        enquiries_enquiry_same_as enquiries_enquiry_pulse enquiries_enquiry_enquiry_pulse
        enquiries_enquiry_correct enquiries_enquiry_new
        enquiries_outgoingmessage_change enquiries_outgoingmessage_changelist
        enquiries_outgoingmessage_history enquiries_replytemplate_add enquiries_replytemplate_change
        enquiries_replytemplate_changelist enquiries_replytemplate_history enquiries_replytemplate_back
    """,
    "EO": """
        factsheets_content factsheets_import_content
        factsheets_sitenotice_add factsheets_sitenotice_change factsheets_sitenotice_changelist
        factsheets_sitenotice_history
        factsheets_sitenotice_deleted factsheets_sitenotice_edition
        factsheets_sitenotice_draft factsheets_sitenotice_draft_edit factsheets_sitenotice_draft_page
        factsheets_factsheet_add factsheets_figure_add factsheets_glossaryterm_add factsheets_glossaryterm_delete
        factsheets_section_add factsheets_section_delete factsheets_source_add factsheets_statement_add
        factsheets_statement_delete factsheets_synonym_add
        factsheets_searchquestions_add factsheets_searchquestions_delete
        factsheets_safetyadvice_flag factsheets_safetyadvice_new factsheets_synonym_delete factsheets_topic_add
        factsheets_figure_draft_edit factsheets_glossaryterm_draft_edit factsheets_source_draft_edit
        factsheets_statement_draft_edit
    """,
    "CO": """
        factsheets_safetyadvice_sign
    """,
    # What patients read.
    "CEO": """
        factsheets_approval_change factsheets_approval_changelist factsheets_approval_history
        factsheets_approval_subject
        factsheets_claim_change factsheets_claim_changelist factsheets_claim_history factsheets_factsheet_change
        factsheets_factsheet_changelist factsheets_factsheet_desk factsheets_factsheet_edition
        factsheets_factsheet_compare factsheets_factsheet_compare_page
        factsheets_factsheet_history factsheets_figure_change factsheets_figure_changelist factsheets_figure_history
        factsheets_glossaryterm_change factsheets_glossaryterm_changelist factsheets_glossaryterm_history
        factsheets_offers factsheets_safetyadvice_change factsheets_safetyadvice_changelist
        factsheets_safetyadvice_edition factsheets_safetyadvice_editions factsheets_safetyadvice_history
        factsheets_safetyadvice_preview factsheets_searchmiss_change factsheets_searchmiss_changelist
        factsheets_searchmiss_history factsheets_searchquestions_change factsheets_searchquestions_changelist
        factsheets_searchquestions_history factsheets_section_change factsheets_section_changelist
        factsheets_source_change factsheets_source_changelist factsheets_source_history factsheets_statement_change
        factsheets_statement_changelist factsheets_statement_history factsheets_synonym_change
        factsheets_synonym_changelist factsheets_synonym_history factsheets_topic_change factsheets_topic_changelist
        factsheets_topic_history factsheets_wordlist_change factsheets_wordlist_changelist factsheets_wordlist_history
        factsheets_figure_deleted factsheets_figure_edition factsheets_glossaryterm_deleted factsheets_glossaryterm_edition
        factsheets_source_deleted factsheets_source_edition factsheets_source_links
        factsheets_statement_deleted factsheets_statement_edition
        factsheets_figure_draft factsheets_figure_draft_page factsheets_glossaryterm_draft
        factsheets_glossaryterm_draft_page factsheets_source_draft factsheets_source_draft_page
        factsheets_statement_draft factsheets_statement_draft_page
    """,
    # Everybody who has signed in. A section’s history is its sheet’s, which has a line of its own.
    "SRCEO": """
        app_list factsheets_section_history health index jsi18n password_change password_change_done provider
        provider_back second_factor
        view_on_site
    """,
    "ASRCEO": """
        forgotten invitation login new_password
    """,
}
PAGES = {name: who for who, names_of in PAGES_OF.items() for name in names_of.split()}
# Where something is done and nothing shown: who may send the form. GET is refused to all.
DEEDS = {
    "account_delete": "O",
    "account_reactivate": "O",
    "leave_set_up": "O",
    "enquiries_enquiry_allow_mail": "O",
    "enquiries_enquiry_another": "RCO",
    "enquiries_enquiry_draft": "RCO",
    "enquiries_enquiry_go": "RCO",
    "enquiries_enquiry_appointment_outcome": "RCO",
    "enquiries_enquiry_new_link": "RCO",
    "enquiries_enquiry_not_spam": "RCO",
    "enquiries_enquiry_release_held": "RCO",
    "enquiries_enquiry_they_agree": "RCO",
    "enquiries_agree": "C",  # and an owner who is on a register
    "enquiries_enquiry_same_person": "RCO",
    "enquiries_enquiry_step": "RCO",
    "enquiries_enquiry_words": "RCO",
    "enquiries_outgoingmessage_send_again": "RCO",
    "factsheets_approval_withdraw": "CO",
    "factsheets_factsheet_address": "EO",
    "factsheets_factsheet_comment": "CEO",
    "factsheets_factsheet_correct": "EO",
    "factsheets_factsheet_discard": "EO",
    "factsheets_factsheet_draft": "EO",
    "factsheets_factsheet_let_stand": "EO",
    "factsheets_factsheet_resolve": "CEO",
    "factsheets_factsheet_move": "CEO",
    "factsheets_safetyadvice_retire": "EO",
    "factsheets_safetyadvice_shift": "EO",
    "factsheets_safetyadvice_step": "EO",
    "factsheets_section_shift": "EO",
    **dict.fromkeys(
        [f"factsheets_{name}_draft_step" for name in ("figure", "glossaryterm", "source", "statement")], "EO"
    ),
    "factsheets_sitenotice_draft_step": "EO",
    "logout": "ASRCEO",
    "sign_out_everywhere": "SRCEO",
}


# Words and forms of dates that are Django's and not the desk's: one form of a moment everywhere, "10:30am on Monday 30 November".
NOT_OURS = re.compile(
    r"Site administration|Select .{0,40} to (?:change|view)|-{5,}|[ap]\.m\.|\b(?:noon|midnight), |"
    r"\b[A-Z][a-z]{2,4}\. \d{1,2}, \d{4}|\b\d{1,2} (?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.? \d{4}|\b\d\d:\d\d\b"
)


class People:
    """One person of each role, and one record of each kind."""

    def __init__(self):
        self.users = {
            "S": User.objects.create_user("without", is_staff=True),
            **{letter: person(name.title(), name) for letter, name in ROLES.items() if letter in "RCE"},
            "O": User.objects.create_superuser("owner"),
        }
        enquiry = consultation()
        Enquiry.objects.update(flood=enquiry, folded=True)
        Closure.objects.create(first_day=date(2026, 6, 1), last_day=date(2026, 6, 1), reason="training")
        Absence.objects.create(staff=self.users["R"], first_day=date(2026, 6, 1), last_day=date(2026, 6, 5))
        SearchMiss.objects.create(digest="x", text="sciatic yoga", times=9)
        Authenticator.objects.create(user=self.users["E"])
        Export.objects.create(
            actor="Sam", what="All", how_many=1, columns="x", with_contact_details=False, reason="A test."
        )
        SiteNotice.objects.create(text="We move.", ends_at=timezone.now() + timedelta(days=1))
        WordingEdition.objects.create(key="reply", number=1, actor="Sam")
        clinician = {"name": "Ada Example", "register": "GMC", "number": "1234567"}
        approvals.record(subject="questions", version="1", digest="x", by=self.users["C"], **clinician)
        sheet = FactSheet.objects.get(slug="about-back-pain")
        # What many sheets share is tried in each of them, a second a page; who may open the page does not hang on it.
        FactSheet.objects.exclude(pk=sheet.pk).delete()
        actions_on = {"pk": enquiry.pk}
        earlier = ReplyTemplateEdition.objects.first()
        self.given = {
            "enquiries_enquiry_step": {**actions_on, "name": "call"},
            "enquiries_enquiry_fold": {"flood": enquiry.pk},
            "enquiries_outgoingmessage_send_again": {"pk": enquiry.messages.first().pk},
            "factsheets_section_shift": {"pk": sheet.pk, "section": sheet.sections.first().pk},
            "factsheets_factsheet_edition": {"pk": sheet.pk, "number": sheet.editions.first().number},
            "factsheets_safetyadvice_flag": {"code": "RF-E1"},
            "factsheets_safetyadvice_shift": {"code": "RF-E1"},
            "factsheets_safetyadvice_retire": {"code": "RF-R11"},
            "factsheets_safetyadvice_step": {"name": "send"},
            "factsheets_safetyadvice_preview": {"name": "sheet"},
            "factsheets_safetyadvice_edition": {"number": 1},
            "app_list": {"app_label": "enquiries"},
            "view_on_site": {"content_type_id": 0, "object_id": 0},
            "enquiries_wording": {"key": "reply"},
            "enquiries_agree": {"key": "0" * 16},
            "factsheets_approval_subject": {"subject": "questions"},
            "factsheets_approval_withdraw": {"subject": "questions"},
            "health": {},
            "clinic_earlier": {"version": 1},
            "enquiries_replytemplate_back": {"pk": earlier.template_id, "edition": earlier.pk},
        }
        of_one = "allow_mail same_as another they_agree words new_link not_spam appointment_outcome draft go correct"
        of_one += " enquiry_pulse"
        for name in of_one.split():
            self.given[f"enquiries_enquiry_{name}"] = actions_on
        of_a_sheet = "desk move let_stand draft discard correct address comment compare compare_page"
        for name in of_a_sheet.split():
            self.given[f"factsheets_factsheet_{name}"] = {"pk": sheet.pk}
        self.given["factsheets_factsheet_resolve"] = {"pk": sheet.pk, "number": 1}
        of_an_account = (
            "account account_deactivate account_hand_over account_second_factor account_delete account_reactivate"
        )
        for name in of_an_account.split():
            self.given[name] = {"id": self.users["S"].pk}
        for name in ("invitation", "new_password"):
            self.given[name] = {"uidb64": "x", "token": "y"}
        for model in shared_revisions.SHARED:
            record = model.objects.order_by("pk").first()
            words = {"content": shared_revisions.snapshot(record), "name": record, "actor": "Sam", "step": "edited"}
            SharedEdition.objects.create(label=model._meta.label_lower, record=record.pk, number=1, **words)
            self.given[f"factsheets_{model._meta.model_name}_edition"] = {"pk": record.pk, "number": 1}
            same = {"content": words["content"], "base": words["content"], "name": record}
            draft = SharedDraft.objects.create(label=model._meta.label_lower, record=record.pk, **same)
            draft.events.create(step="edited", actor="Sam")
            for page in ("draft", "draft_edit"):
                self.given[f"factsheets_{model._meta.model_name}_{page}"] = {"pk": draft.pk}
            self.given[f"factsheets_{model._meta.model_name}_draft_step"] = {"pk": draft.pk, "step": "send"}
            page = {"pk": draft.pk, "sheet": 0 if model is SiteNotice else sheet.pk}
            self.given[f"factsheets_{model._meta.model_name}_draft_page"] = page
        for model in admin.site._registry:
            for page in ("change", "delete", "history"):
                record = model._default_manager.order_by("pk").first()
                assert record, f"There is no {model.__name__} to open."
                self.given[f"{model._meta.app_label}_{model._meta.model_name}_{page}"] = {"object_id": record.pk}

    def address(self, name: str) -> str:
        try:
            return reverse(f"admin:{name}", kwargs=self.given.get(name, {}))
        except NoReverseMatch:
            pytest.fail(f"Say in People.given which record the page {name} is opened with.")


def names() -> set[str]:
    """Every page of the desk that has a name. What has none leads to one of them."""
    found = set()
    waiting = [each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "admin"]
    assert waiting
    while waiting:
        each = waiting.pop()
        if hasattr(each, "url_patterns"):
            waiting += each.url_patterns
        elif each.name:
            found.add(each.name)
    return found


def gets_in(response) -> bool:
    to = response.url if response.status_code == 302 else ""
    sent_away = to.startswith("/admin/login/") and "why=ended" not in to  # where signing out leads
    return not sent_away and response.status_code != 403


def test_every_page_has_its_line_in_the_table():
    assert len(names()) > 100
    assert names() == set(PAGES) | set(DEEDS), "Say who may open it."
    assert not set(PAGES) & set(DEEDS)


@pytest.mark.parametrize("letter", sorted(ROLES), ids=ROLES.get)
@pytest.mark.once
@pytest.mark.long
def test_each_role_opens_and_does_what_it_may_and_nothing_else(client, db, letter, caplog):
    caplog.set_level(logging.CRITICAL, "django.request")  # hundreds of refusals, each with its traceback
    people = People()
    sign_in(client, people, letter)
    pages = {name: client.get(people.address(name)) for name in PAGES}
    opened = {name for name, page in pages.items() if gets_in(page)}
    assert opened == {name for name, who in PAGES.items() if letter in who}
    shown = {name: pages[name] for name in opened if pages[name].status_code == 200}
    words = {name: text(tree(page)) for name, page in shown.items() if page["Content-Type"].startswith("text/html")}
    assert not {name: found for name, said in words.items() if (found := NOT_OURS.findall(said))}
    done = set()
    for name in DEEDS:
        sign_in(client, people, letter)  # one of the deeds is to sign out
        address = people.address(name)
        assert client.get(address).status_code in {302, 405}, f"{name} shows something: it belongs to PAGES."
        if gets_in(client.post(address, {})):
            done.add(name)
    assert done == {name for name, who in DEEDS.items() if letter in who}


def sign_in(client, people, letter):
    if letter in people.users:
        client.force_login(people.users[letter])


# --- what reception sees of a patient's words ---

WORDS = "An ache low in my back for two months."
BUTTON = "Show what they wrote"


def page_of(client, user, enquiry) -> str:
    client.force_login(user)
    return text(tree(client.get(enquiry.get_admin_url())))


def show(client, enquiry):
    return client.post(reverse("admin:enquiries_enquiry_words", args=[enquiry.pk]), follow=True)


def with_answers() -> Enquiry:
    enquiry = consultation(best_time="after four")
    give_signs(Enquiry.objects.filter(pk=enquiry.pk))
    told = {"result": {"heading": "See somebody soon", "version": "1"}, "answers": []}
    Assessment.objects.create(
        enquiry=enquiry,
        told=json.dumps(told),
        questions_version="1",
        consent_version=max(handover.CONSENT_WORDINGS),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return enquiry


def test_reception_sees_who_and_when_and_the_warning_but_no_words(client, db):
    enquiry = with_answers()
    seen = page_of(client, person("Rita", "reception"), enquiry)
    for told in ("Ada Example", "ada@example.com", "020 7946 0018", "after four", "Possible emergency", BUTTON):
        assert told in seen, told
    assert WORDS not in seen
    assert "See somebody soon" not in seen


@pytest.mark.parametrize("role", ["clinician", "owner"])
def test_clinicians_and_owners_see_words_and_answers_at_once(client, staff, role):
    seen = page_of(client, staff if role == "owner" else person("Carl", role), enquiry := with_answers())
    assert WORDS in seen and "See somebody soon" in seen
    assert BUTTON not in seen
    assert not enquiry.events.filter(kind=EventKind.READ).exists()


@pytest.mark.long
def test_reception_opens_the_words_for_an_hour_and_the_timeline_says_so_once(client, db):
    enquiry, rita = with_answers(), person("Rita", "reception")
    client.force_login(rita)
    for _ in range(3):
        seen = text(tree(show(client, enquiry)))
        assert WORDS in seen and BUTTON not in seen
        assert "See somebody soon" not in seen, "The answers are for clinicians."
    read = enquiry.events.filter(kind=EventKind.READ)
    assert [(each.by, each.actor) for each in read] == [(rita, "Rita")]
    assert "Rita read what they wrote" in seen
    assert WORDS not in page_of(client, person("Robin", "reception"), enquiry), "Opened by one, it is open to one."
    read.update(created_at=timezone.now() - timedelta(minutes=61))
    assert WORDS not in page_of(client, rita, enquiry)
    show(client, enquiry)
    assert read.count() == 2


def test_what_the_patient_added_is_opened_with_the_same_button(client, db):
    enquiry = consultation()
    by_patient.add_detail(enquiry=enquiry, text="It is worse at night.", safety_signs="", version=enquiry.version)
    seen = page_of(client, person("Rita", "reception"), enquiry)
    assert "It is worse at night." not in seen
    assert "1 later addition from the patient." in seen
    assert text(tree(show(client, enquiry))).count("It is worse at night.") == 2, "Above, and in the timeline."


def test_an_editor_opens_nobodys_words(client, db):
    enquiry = consultation()
    client.force_login(person("Ed", "editor"))
    assert client.post(reverse("admin:enquiries_enquiry_words", args=[enquiry.pk])).status_code == 403
    assert not enquiry.events.filter(kind=EventKind.READ).exists()
