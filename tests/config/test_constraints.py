"""The database refuses half a fact, whoever writes it."""

import uuid
from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import CheckConstraint, F
from django.utils import timezone

from backcare.core.encryption import Ciphertext
from enquiries.actions import appointments, erasure, intake, outbox, triage
from enquiries.models import (
    Absence,
    Appointment,
    Assessment,
    ClinicHours,
    Closure,
    Enquiry,
    EnquiryEvent,
    Export,
    LastPurge,
    OpeningHours,
    OutgoingMessage,
    StoppedAddress,
)
from factsheets.models import (
    Approval,
    Claim,
    Edition,
    FactSheet,
    Figure,
    GuardOverride,
    KeptClaim,
    Picture,
    PictureFile,
    RelatedSheet,
    ReviewComment,
    SafetyAdvice,
    SafetyDraft,
    SafetyDraftEvent,
    SafetyEdition,
    SearchMiss,
    Section,
    SharedDraft,
    SharedDraftEvent,
    SharedEdition,
    SheetFeedback,
    SiteNotice,
    Source,
    SourceLink,
    SourceUse,
    Statement,
    TeamMember,
)
from tests.conftest import consultation, report
from tests.support.inbox import whole_status
from tests.support.models import our_models

# Each constraint, and rows that would break it: which row is taken, and what is written to it.
ENQUIRY = (Enquiry, {"kind": "consultation"})
CLOSED = whole_status("closed")
WAITING = whole_status("waiting")
SOMEBODY = {"for_name": Ciphertext(b"x"), "for_relation": Ciphertext(b"x"), "for_agreed": "yes"}
SENDING = {"state": "sending", "claimed_by": "worker", "lease_until": timezone.now()}
BOOKED = (Appointment, {"state": "booked"})
HALF_FACTS = {
    "enquiry_known_kind": [(Enquiry, {"kind": "report"}, {"kind": "complaint"})],
    "enquiry_known_channel": [(*ENQUIRY, {"channel": "fax"})],
    "enquiry_known_status": [(*ENQUIRY, {"status": "lost"}), (*ENQUIRY, {"status": ""})],
    "enquiry_closed_at_when_done": [
        (*ENQUIRY, {"status": "closed", "outcome": "answered"}),
        (*ENQUIRY, {"status": "spam"}),
        (*ENQUIRY, {"closed_at": timezone.now()}),
    ],
    "enquiry_for_someone_else_whole": [
        (*ENQUIRY, {"for_agreed": "yes"}),
        (*ENQUIRY, {"for_name": Ciphertext(b"x"), "for_relation": Ciphertext(b"x")}),
        (*ENQUIRY, SOMEBODY | {"for_agreed": "perhaps"}),
        (*ENQUIRY, SOMEBODY | {"for_name": None}),
        (*ENQUIRY, SOMEBODY | {"for_relation": None}),
        (Enquiry, {"kind": "question"}, SOMEBODY),
    ],
    "enquiry_report_names_a_sheet": [(Enquiry, {"kind": "report"}, {"sheet": None})],
    "enquiry_consultation_has_contact_method": [
        (*ENQUIRY, {"by_phone": False, "by_video": False, "by_email": False}),
    ],
    "enquiry_contact_method_only_for_consultation": [
        (Enquiry, {"kind": "report"}, {"by_phone": True}),
        (Enquiry, {"kind": "report"}, {"by_video": True}),
        (Enquiry, {"kind": "question"}, {"by_email": True}),
    ],
    "enquiry_call_slots_known": [(*ENQUIRY, {"call_slots": 1 << 15})],
    "enquiry_known_outcome": [(*ENQUIRY, CLOSED | {"outcome": "lost"})],
    "enquiry_outcome_when_closed": [
        (*ENQUIRY, {"outcome": "answered"}),
        (*ENQUIRY, CLOSED | {"outcome": ""}),
        (*ENQUIRY, CLOSED | {"status": "spam"}),
    ],
    "enquiry_held_back_for_a_reason": [
        (*ENQUIRY, {"status": "held"}),
        (*ENQUIRY, {"status": "held", "quarantine_reason": "Many", "reply_by": timezone.now()}),
    ],
    "enquiry_booked_has_appointment": [(*ENQUIRY, {"status": "booked"})],
    "enquiry_waiting_after_contact_until_a_day": [
        (*ENQUIRY, {"status": "waiting"}),
        (*ENQUIRY, WAITING | {"contact_attempts": 0}),
        (*ENQUIRY, WAITING | {"return_on": None}),
        (*ENQUIRY, WAITING | {"waiting_since": None}),
        (*ENQUIRY, {"waiting_since": timezone.now()}),
        (Enquiry, {"status": "booked"}, {"return_on": timezone.localdate()}),
    ],
    "enquiry_same_as_another_when_closed": [
        (*ENQUIRY, {"same_as": uuid.uuid4()}),
        (*ENQUIRY, CLOSED | {"same_as": F("pk")}),
    ],
    "export_has_actor_and_reason": [(Export, {}, {"actor": ""}), (Export, {}, {"reason": ""})],
    "enquiry_safety_act_has_a_sign": [(*ENQUIRY, {"safety_acted_at": timezone.now()})],
    "enquiry_no_appointment_when_done": [(Enquiry, {"status": "booked"}, CLOSED)],
    "appointment_known_state": [(*BOOKED, {"state": "lost", "ended_at": timezone.now()})],
    "appointment_known_channel": [(*BOOKED, {"channel": "fax"})],
    "appointment_length": [(*BOOKED, {"minutes": 4}), (*BOOKED, {"minutes": 481})],
    "appointment_is_to_come_when_booked": [(*BOOKED, {"starts_at": F("booked_at")})],
    "appointment_ended_at_when_over": [
        (*BOOKED, {"ended_at": timezone.now()}),
        (*BOOKED, {"state": "moved"}),
        (Appointment, {"state": "moved"}, {"ended_at": None}),
    ],
    "appointment_came_or_not_after_it_began": [
        (*BOOKED, {"state": "came", "ended_at": timezone.now()}),
        (*BOOKED, {"state": "missed", "ended_at": timezone.now()}),
    ],
    "appointment_replaces_another": [(*BOOKED, {"replaces": F("pk")})],
    "absence_ends_after_it_starts": [(Absence, {}, {"last_day": date(2026, 5, 31)})],
    "message_appointment_only_for_its_emails": [(OutgoingMessage, {"purpose": "booking"}, {"purpose": "report"})],
    "clinic_hours_one_row": [(ClinicHours, {}, {"id": 2})],
    "last_purge_one_row": [(LastPurge, {}, {"id": 2})],
    "clinic_hours_known_nation": [(ClinicHours, {}, {"nation": "france"})],
    "clinic_hours_reply_within": [(ClinicHours, {}, {"within_hours": 0}), (ClinicHours, {}, {"within_hours": 81})],
    "clinic_hours_pause_has_name_and_notice": [
        (ClinicHours, {}, {"paused_by": "Sam"}),
        (ClinicHours, {}, {"paused_at": timezone.now(), "notice": "We are moving."}),
        (ClinicHours, {}, {"paused_at": timezone.now(), "paused_by": "Sam", "notice": ""}),
    ],
    "opening_known_weekday": [(OpeningHours, {}, {"weekday": 7})],
    "opening_closes_after_it_opens": [(OpeningHours, {}, {"closes": F("opens")})],
    "closure_ends_after_it_starts": [(Closure, {}, {"last_day": date(2026, 5, 31)})],
    "closure_times_in_order": [(Closure, {}, {"from_time": time(13), "until_time": time(11)})],
    "closure_has_reason": [(Closure, {}, {"reason": ""})],
    "assessment_has_consent": [(Assessment, {}, {"consent_version": ""})],
    "event_known_kind": [(EnquiryEvent, {"kind": "received"}, {"kind": "imagined"})],
    "event_statuses_when_moved": [
        (EnquiryEvent, {"kind": "moved"}, {"from_status": ""}),
        (EnquiryEvent, {"kind": "moved"}, {"to_status": ""}),
        (EnquiryEvent, {"kind": "received"}, {"from_status": "new", "to_status": "closed"}),
        (EnquiryEvent, {"kind": "received"}, {"to_status": "closed"}),
    ],
    "message_of_a_review_has_its_step": [
        (OutgoingMessage, {"purpose": "review_reminder"}, {"edition": 1}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"draft_event": 1}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"safety_event": 1}),
        (OutgoingMessage, {"purpose": "sheet_review"}, {"edition": None}),
        (OutgoingMessage, {"purpose": "sheet_review"}, {"draft_event": 1}),
        (OutgoingMessage, {"purpose": "sheet_review"}, {"safety_event": 1}),
    ],
    "message_reply_has_words": [(OutgoingMessage, {"purpose": "acknowledgement"}, {"purpose": "reply"})],
    "message_known_state": [(OutgoingMessage, {}, {"state": "flying"})],
    "message_known_purpose": [(OutgoingMessage, {}, {"purpose": "chain_letter"})],
    "message_is_about_one_thing": [
        (OutgoingMessage, {"purpose": "report"}, {"enquiry": None}),
        (OutgoingMessage, {"purpose": "report"}, {"purpose": "review_reminder"}),
        (OutgoingMessage, {"purpose": "report"}, {"purpose": "digest"}),
        (OutgoingMessage, {"purpose": "report"}, {"purpose": "clinician_alert"}),
        (OutgoingMessage, {"purpose": "report"}, {"purpose": "clinician_alert", "staff": 1, "reminder": 1}),
        (OutgoingMessage, {"purpose": "report"}, {"reminder": 1}),
        (OutgoingMessage, {"purpose": "report"}, {"staff": 1}),
        (OutgoingMessage, {"purpose": "report"}, {"day": date(2026, 6, 1)}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"purpose": "report"}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"reminder": None}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"staff": None}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"enquiry": uuid.uuid4()}),
        (OutgoingMessage, {"purpose": "review_reminder"}, {"day": date(2026, 6, 1)}),
        (OutgoingMessage, {"purpose": "sheet_review"}, {"staff": None}),
        (OutgoingMessage, {"purpose": "sheet_review"}, {"enquiry": uuid.uuid4()}),
        (OutgoingMessage, {"purpose": "digest"}, {"day": None}),
        (OutgoingMessage, {"purpose": "digest"}, {"enquiry": uuid.uuid4()}),
        (OutgoingMessage, {"purpose": "digest"}, {"reminder": 1}),
        (OutgoingMessage, {"purpose": "digest"}, {"staff": 1}),
        (OutgoingMessage, {"purpose": "report"}, {"purpose": "abuse_alarm"}),
        (OutgoingMessage, {"purpose": "abuse_alarm"}, {"day": None}),
        (OutgoingMessage, {"purpose": "abuse_alarm"}, {"enquiry": uuid.uuid4()}),
        (OutgoingMessage, {"purpose": "abuse_alarm"}, {"reminder": 1}),
        (OutgoingMessage, {"purpose": "abuse_alarm"}, {"staff": 1}),
    ],
    "stopped_ends_after_it_starts": [(StoppedAddress, {}, {"until": F("created_at")})],
    "message_sent_has_time": [
        (OutgoingMessage, {}, {"state": "sent"}),
        (OutgoingMessage, {}, {"sent_at": timezone.now()}),
        (OutgoingMessage, {}, SENDING | {"sent_at": timezone.now()}),
    ],
    "message_sending_has_holder_and_lease": [
        (OutgoingMessage, {}, SENDING | {"lease_until": None}),
        (OutgoingMessage, {}, SENDING | {"claimed_by": ""}),
        (OutgoingMessage, {}, {"claimed_by": "worker"}),
        (OutgoingMessage, {}, {"lease_until": timezone.now()}),
        (OutgoingMessage, {}, {"state": "failed", "lease_until": timezone.now()}),
    ],
    "edition_known_step": [(Edition, {}, {"step": "imagined", "actor": "Sam"})],
    "edition_reviewed_on_and_by": [
        (Edition, {}, {"reviewed_on": timezone.localdate()}),
        (Edition, {}, {"reviewed_by": 1}),
        (Edition, {}, {"review_due_on": timezone.localdate()}),
    ],
    "edition_has_actor": [(Edition, {}, {"step": "edited", "actor": ""})],
    "kept_claim_has_reason_and_actor": [(KeptClaim, {}, {"reason": ""}), (KeptClaim, {}, {"actor": ""})],
    "kept_claim_agreed_by_somebody": [
        (KeptClaim, {}, {"agreed_actor": "Cal"}),
        (KeptClaim, {}, {"agreed_at": timezone.now()}),
    ],
    "override_has_reason_and_actor": [(GuardOverride, {}, {"reason": ""}), (GuardOverride, {}, {"actor": ""})],
    "sheet_known_state": [(FactSheet, {}, {"state": "secret"})],
    "sheet_reviewed_on_and_by": [
        (FactSheet, {}, {"reviewed_on": timezone.localdate()}),
        (FactSheet, {}, {"reviewed_by": 1}),
    ],
    "sheet_draft_is_not_public": [(FactSheet, {"state": "published"}, {"draft_of": F("pk")})],
    "sheet_scheduled_has_day_and_signature": [
        (FactSheet, {}, {"state": "scheduled"}),
        (FactSheet, {}, {"state": "scheduled", "publish_on": date(2026, 6, 1)}),
        (FactSheet, {}, {"publish_on": date(2026, 6, 1)}),
    ],
    "comment_has_text_and_actor": [(ReviewComment, {}, {"text": ""}), (ReviewComment, {}, {"actor": ""})],
    "comment_resolved_by_somebody": [
        (ReviewComment, {}, {"resolved_at": timezone.now()}),
        (ReviewComment, {}, {"resolved_actor": "Sam"}),
    ],
    "shared_draft_known_state": [(SharedDraft, {}, {"state": "imagined", "is_open": False})],
    "shared_draft_open_until_it_ends": [
        (SharedDraft, {}, {"is_open": False}),
        (SharedDraft, {}, {"state": "published"}),
    ],
    "shared_draft_event_known_step": [(SharedDraftEvent, {}, {"step": "imagined"})],
    "shared_draft_event_has_actor": [(SharedDraftEvent, {}, {"actor": ""})],
    "shared_edition_known_step": [(SharedEdition, {}, {"step": "imagined", "actor": "Sam"})],
    "shared_edition_has_actor": [(SharedEdition, {}, {"step": "edited", "actor": ""})],
    "source_link_known_outcome": [(SourceLink, {}, {"outcome": "lost"})],
    "related_to_another_sheet": [(RelatedSheet, {}, {"to": F("sheet")})],
    "related_has_reason": [(RelatedSheet, {}, {"reason": ""})],
    "section_known_kind": [(Section, {"kind": "text"}, {"kind": "poem"})],
    "section_known_view": [(Section, {}, {"view": "eastern"})],
    "section_figure_when_kind_is_figure": [
        (Section, {"kind": "figure"}, {"figure": None}),
        (Section, {"kind": "figure"}, {"kind": "text", "body": "x"}),
    ],
    "section_has_body": [(Section, {"kind": "text"}, {"body": ""})],
    "section_has_heading_where_needed": [
        (Section, {"kind": "evidence"}, {"heading": ""}),
        (Section, {"kind": "callout"}, {"heading": ""}),
    ],
    "section_known_layer": [(Section, {}, {"layer": "cellar"})],
    "section_known_question": [(Section, {"layer": "leaflet"}, {"question": "why-me"})],
    "section_question_only_in_the_leaflet": [(Section, {}, {"layer": "more", "question": "what-next"})],
    "sheet_known_kind": [(FactSheet, {}, {"kind": "poem"})],
    "statement_known_grade": [(Statement, {}, {"grade": "G9"})],
    "statement_known_direction": [(Statement, {}, {"direction": "sideways"})],
    "statement_acupuncture_benefit_with_nice": [
        (Statement, {}, {"treatment": "acupuncture", "direction": "helps", "nice_position": ""}),
        (Statement, {}, {"treatment": "acupuncture", "direction": "may_help", "nice_position": ""}),
    ],
    "safety_known_tier": [(SafetyAdvice, {}, {"tier": "later"})],
    "safety_has_text": [(SafetyAdvice, {}, {"text": ""})],
    "safety_has_short_text": [(SafetyAdvice, {}, {"short_text": ""})],
    "safety_edition_known_step": [(SafetyEdition, {}, {"step": "imagined", "actor": "Sam"})],
    "safety_edition_has_actor": [(SafetyEdition, {}, {"step": "published", "actor": ""})],
    "safety_draft_known_state": [(SafetyDraft, {}, {"state": "imagined", "is_open": False})],
    "safety_draft_open_until_it_ends": [
        (SafetyDraft, {}, {"is_open": False}),
        (SafetyDraft, {}, {"state": "published"}),
    ],
    "safety_draft_event_known_step": [(SafetyDraftEvent, {}, {"step": "imagined"})],
    "safety_draft_event_has_actor": [(SafetyDraftEvent, {}, {"actor": ""})],
    "approval_known_subject": [(Approval, {}, {"subject": "everything"})],
    "approval_has_actor_and_hash": [(Approval, {}, {"actor": ""}), (Approval, {}, {"digest": ""})],
    "approval_is_whole": [
        (Approval, {}, {"name": ""}),
        (Approval, {}, {"number": ""}),
        (Approval, {}, {"register": "ABC"}),
        (Approval, {}, {"reason": "It is wrong."}),
        (Approval, {}, {"decision": "withdrawn"}),
        (Approval, {}, {"decision": "withdrawn", "name": "", "register": "", "number": ""}),
    ],
    "figure_drawing_or_picture": [(Figure, {}, {"drawing": ""}), (Figure, {}, {"picture": 1})],
    "picture_file_known_format": [(PictureFile, {}, {"format": "gif"})],
    "source_use_has_finding": [(SourceUse, {}, {"finding": ""})],
    "claim_known_status": [(Claim, {}, {"status": "rumour"})],
    "feedback_known_answer": [(SheetFeedback, {}, {"answer": "maybe"})],
    "feedback_known_reason": [
        (SheetFeedback, {"answer": "yes"}, {"reason": "too-long"}),
        (SheetFeedback, {"answer": "no"}, {"reason": "too-dear"}),
    ],
    "site_notice_ends_after_start": [(SiteNotice, {}, {"ends_at": F("starts_at")})],
    "site_notice_known_level": [(SiteNotice, {}, {"level": "shouted"})],
    "site_notice_has_text": [(SiteNotice, {}, {"text": ""})],
    "team_member_has_name": [(TeamMember, {}, {"name": ""})],
    "team_member_one_portrait": [(TeamMember, {}, {"drawing": "people/ada.svg"})],
    "team_member_one_register": [(TeamMember, {}, {"other_register": "Guild of Backs"})],
    "miss_text_only_when_often": [(SearchMiss, {}, {"text": "what somebody typed"})],
}


@pytest.fixture
def rows(sheet, staff):
    report(sheet)
    SearchMiss.objects.create(digest="x")
    for answer in ("yes", "no"):
        SheetFeedback.objects.create(sheet=sheet, week=date(2026, 6, 1), answer=answer)
    Closure.objects.create(first_day=date(2026, 6, 1), last_day=date(2026, 6, 1), reason="training")
    kept = consultation()
    intake.accept(
        intake.Submission(
            kind="question",
            details={
                "name": "Ada",
                "email": "ada@example.com",
                "phone": "",
                "best_time": "",
                "description": "May I swim?",
            },
        )
    )
    triage.triage(enquiry=kept, by=staff, to="in_progress")
    Enquiry.objects.update(return_on=None)  # which would be a half fact of its own in every other status
    Assessment.objects.create(enquiry=kept, questions_version="1", consent_version="1", expires_at=timezone.now())
    booked = Enquiry.objects.get(kind="question")
    for days in (3, 4):
        appointments.book(enquiry=booked, by=staff, at=timezone.now() + timedelta(days=days), channel="phone")
    Absence.objects.create(staff=staff, first_day=date(2026, 6, 1), last_day=date(2026, 6, 5))
    override = {"key": "x", "rule": "x", "place": "x", "sentence": "x"}
    Approval.objects.create(
        subject="questions", version="2", digest="x", name="Ada", register="GMC", number="1234567", actor="Sam"
    )
    draft = SafetyDraft.objects.create(content=[], base=[])
    SafetyDraftEvent.objects.create(draft=draft, step="edited", actor="Sam")
    KeptClaim.objects.create(key="0" * 16, rule="x", sentence="We cure.", reason="It quotes.", actor="Sam")
    GuardOverride.objects.create(sheet=sheet, reason="It quotes.", actor="Sam", **override)
    picture = Picture.objects.create(digest="0" * 32, width=400, height=300)
    PictureFile.objects.create(picture=picture, width=400, format="jpg", data=b"x")
    TeamMember.objects.create(name="Ada", role="Physiotherapist", register="GMC", number="1234567", picture=picture)
    SiteNotice.objects.create(text="Closed today.", level="information", ends_at=timezone.now() + timedelta(days=1))
    FactSheet.objects.filter(pk=sheet.pk).update(state="published", review_due_on=timezone.localdate())
    outbox.remind_of_reviews(today=timezone.localdate())
    shared = SharedDraft.objects.create(label="factsheets.source", record=1, name="A source", content={}, base={})
    shared.events.create(step="edited", actor="Sam")
    SharedEdition.objects.create(
        label="factsheets.source", record=1, number=99, name="A source", step="edited", actor="Sam", content={}
    )
    address = {"address": "https://example.org/", "checked_at": timezone.now()}
    SourceLink.objects.create(source=Source.objects.first(), **address)
    ReviewComment.objects.create(sheet=sheet, text="Why?", actor="Sam")
    OutgoingMessage.objects.create(purpose="sheet_review", edition=sheet.editions.first(), staff=staff)
    OutgoingMessage.objects.create(purpose="digest", day=date(2026, 11, 23))
    OutgoingMessage.objects.create(purpose="abuse_alarm", day=date(2026, 11, 23))
    erasure.stop_mails(key="x")
    LastPurge.objects.create(at=timezone.now())
    Export.objects.create(
        actor="Sam", what="All", how_many=1, columns="x", with_contact_details=False, reason="A test."
    )


@pytest.mark.parametrize("constraint", HALF_FACTS)
def test_the_database_refuses(rows, constraint):
    for model, which, change in HALF_FACTS[constraint]:
        row = model.objects.filter(**which).values_list("pk", flat=True).first()
        assert row, f"There is no {model.__name__} with {which} to try this on."
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            model.objects.filter(pk=row).update(**change)


def test_every_check_constraint_is_tried():
    ours = {
        constraint.name
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert len(ours) >= 20
    assert set(HALF_FACTS) == ours


def test_a_consultation_without_any_way_to_reach_the_patient_is_refused_by_the_database_too(db):
    details = {"name": "Ada", "email": "ada@example.com", "phone": "", "best_time": "", "description": "x"}
    with pytest.raises(IntegrityError, match="enquiry_consultation_has_contact_method"):
        intake.accept(intake.Submission(kind="consultation", details=details, contact_by=()))
