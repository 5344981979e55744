"""Makes an enquiry from what a patient asked in a form, by telephone or at the clinic."""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from backcare.core import blind_index, limits
from backcare.core.encryption import CannotDecrypt, keyed_hash, keyed_hashes
from enquiries import abuse, clock, flood
from enquiries.actions.outbox import SUMMARY_DAYS, TO_THEM, enqueue_first, has_address
from enquiries.models import Assessment, Enquiry, EnquiryKind, EventKind, IntakeChannel, Purpose, SearchToken, Status
from enquiries.models.event import record
from factsheets.models import FactSheet

logger = logging.getLogger(__name__)

# A form sent again within this time, by a second click, the back button or a reload, is the same request. Later, it is deliberate.
SAME_FORM_WITHIN = timedelta(minutes=30)

SEAL_GOOD_FOR = timedelta(days=1)  # of the page that checked the answers (`request_forms/form_state.py`)

# What an enquiry may hold besides the texts that every form has.
ALSO = {
    "call_slots",
    "may_leave_voicemail",
    "may_say_who_calls",
    "needs",
    "safety_signs",
    "for_name",
    "for_relation",
    "for_agreed",
}

# A browser's autofill can fall into robots' trap too, so if the answers were checked on the page, it is only noted.
TRAP_NOTED = "A hidden field was filled in, as some browsers do"


class _OutOfTurn(Exception):
    """This form cannot be decided on while others are being counted."""


class SealUsed(Exception):
    """The page that checked this form's answers has sent it before, longer than SAME_FORM_WITHIN ago."""


@dataclass(frozen=True)
class Consented:
    """A finished self-assessment, and the version of the consent wording under which the patient gave it."""

    result: dict[str, Any]  # as enquiries.assessment.result.shown gives it
    answers: list[dict[str, Any]]  # as enquiries.assessment.result.played_back gives it
    consent_version: str

    @property
    def as_json(self) -> str:
        return json.dumps({"result": self.result, "answers": self.answers}, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Taken:
    """Who wrote down what somebody asked, and the version of the wording that was read to them, to which they agreed."""

    by: User
    wording: str


@dataclass(frozen=True)
class Submission:
    """What a patient sent, checked and ready to be kept.

    `details` holds the cleaned texts name, email, phone, best_time, description; `also` any of ALSO. `caught` is why it must be set
    aside whatever else is true. `trap`: the field for robots was filled in on a form that somebody looked through. `in_no_time`: it
    was sent faster than anybody reads. `seal` is that of the page that checked the answers (`request_forms/form_state.py`), good
    once. Its mail leaves after `hold`. `taken`: a member of staff wrote it down, by telephone or at the clinic (`channel`).
    """

    kind: str
    details: dict[str, str]
    contact_by: tuple[str, ...] = ()
    sheet: FactSheet | None = None
    also: dict[str, Any] = field(default_factory=dict)
    consented: Consented | None = None
    caught: str = ""
    trap: bool = False
    in_no_time: bool = False
    seal: str = ""
    hold: timedelta = timedelta(0)
    channel: str = IntakeChannel.WEBSITE
    taken: Taken | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.also) - ALSO:
            raise TypeError(f"An enquiry keeps no {', '.join(sorted(unknown))}.")

    @property
    def is_flagged(self) -> bool:
        return bool(self.also.get("safety_signs"))

    @property
    def texts(self) -> list[str]:
        return [self.details["description"], self.details["best_time"], self.also.get("needs") or ""]


def accept(submission: Submission, *, sender: str = "") -> Enquiry:
    """Saves what a patient sent, whole or not at all: the enquiry, its first timeline entry, its answers and its email.

    The same form sent twice within SAME_FORM_WITHIN gives back the enquiry that is already there. One that is set aside sends no
    mail and promises no reply. One with a warning sign is never set aside, and always alerts the clinic.

    `sender` is `limits.client(request)`, counted by enquiries/abuse.py and never kept; empty for what no stranger sent. Raises
    SealUsed, and abuse.TooMany for what one sender, or all, may not send; then nothing is kept.
    """
    try:
        try:
            return _keep(submission, sender)
        except (IntegrityError, _OutOfTurn):
            # Or its reference, eight random characters, was taken: about five times in a million enquiries. Draw another.
            return _keep(submission, sender, in_turn=True)
    except abuse.TooMany as refusal:
        if refusal.in_total:
            abuse.sound_alarm()
        raise


def _keep(form: Submission, sender: str, *, in_turn: bool = False) -> Enquiry:
    """Forms take turns where counting them needs it: from the start of one with a sign, or with something against it, because
    what came just before decides on it too. The usual form is counted last, once all else is written. So on PostgreSQL others wait
    for its commit alone, a quarter of its time. SQLite's transactions take turns anyway."""
    in_turn = in_turn or form.is_flagged or bool(form.caught) or connection.vendor == "sqlite"
    with transaction.atomic():
        keys = _submission_keys(form)
        # Always before it waits for its turn: two forms that wait for each other would both be lost.
        is_fresh = not form.seal or limits.once("forms: seal", form.seal, until=timezone.now() + SEAL_GOOD_FOR)
        seen = abuse.standing(sender, form.kind, form.details["email"], in_turn=in_turn) if sender else None
        if seen and form.kind == EnquiryKind.REPORT and not form.is_flagged:
            # Before it looks at earlier submissions, so that a blocked sender learns nothing about them.
            abuse.refuse_if_too_many(seen)
        now = timezone.now()
        earlier = Enquiry.objects.filter(submission_key__in=keys, created_at__gte=now - SAME_FORM_WITHIN)
        if known := earlier.order_by().values_list("pk", flat=True).first():
            return Enquiry.objects.get(pk=known)
        if not is_fresh:
            raise SealUsed
        decide = partial(
            abuse.decide,
            form.kind,
            email=form.details["email"],
            texts=form.texts,
            caught=form.caught,
            trap=form.trap,
            in_no_time=form.in_no_time,
            flagged=form.is_flagged,
        )
        decision = decide(seen=seen)
        if not in_turn and not decision.is_usual:
            raise _OutOfTurn
        enquiry = Enquiry(
            kind=form.kind,
            channel=form.channel,
            sheet=form.sheet,
            **form.details,
            **form.also,
            email_key=blind_index.email_key(form.details["email"]),
            phone_key=blind_index.phone_key(form.details["phone"]),
            reply_by=None if form.kind == EnquiryKind.REPORT or decision.aside else clock.reply_by(now),
            **{f"by_{method}": True for method in form.contact_by},
            status=decision.status,
            quarantine_reason=decision.aside,
            likelihood=decision.likelihood,
            closed_at=now if decision.status == Status.SPAM else None,
            folded=bool(decision.fold),
            submission_key=keys[0],
        )
        if decision.fold:
            enquiry.flood_id = decision.fold.first or enquiry.pk
        enquiry.save(force_insert=True)
        if decision.marks:
            flood.leave_marks(enquiry, decision.marks, decision.fold)
        SearchToken.write_first(enquiry)
        said = [f"Asked for: {enquiry.get_kind_display()}"]
        if decision.fold:
            said.append("One of many similar forms, grouped in the safety queue")
        if decision.silent and not decision.aside:
            said.append(f"No email sent: {decision.silent.lower()}")
        if form.trap:
            said.append(TRAP_NOTED)
        if taken := form.taken:
            said.append(f"Written down {enquiry.get_channel_display()}. They agreed to wording {taken.wording}")
        by, actor = (taken.by, "") if taken else (None, "patient")
        record(enquiry, EventKind.RECEIVED, by=by, actor=actor, summary=". ".join(said))
        if consented := form.consented:
            Assessment.objects.create(
                enquiry=enquiry,
                told=consented.as_json,
                questions_version=consented.result["version"],
                consent_version=consented.consent_version,
                expires_at=now + timedelta(days=SUMMARY_DAYS),
            )
        if not decision.aside:
            # The person who wrote it down knows about it, so only a warning sign needs an alert.
            alarm = decision.alarm and (taken is None or form.is_flagged)
            answer(enquiry, is_new=True, not_before=now + form.hold, silent=bool(decision.silent), alarm=alarm)
        if seen and not in_turn:
            seen = abuse.standing(sender, form.kind, form.details["email"])
            if decide(seen=seen, stopped=decision.silent == abuse.STOPPED) != decision:
                raise _OutOfTurn
        abuse.count(decision)
    logger.info("Accepted %s %s", enquiry.kind, enquiry.reference)
    return enquiry


def answer(
    enquiry: Enquiry,
    *,
    is_new: bool = False,
    not_before: datetime | None = None,
    silent: bool = False,
    alarm: bool = True,
) -> None:
    """Queues this enquiry's emails, each once. A silent one has only those to the clinic.

    Without `alarm` the clinic gets none, because it was alerted to another like it. `is_new`: made in this transaction, so
    without any mail yet.

    One that was set aside was promised nothing: its promise is made now, and whoever calls this saves it with the row.
    """
    kind = EnquiryKind(enquiry.kind)
    if kind != EnquiryKind.REPORT and enquiry.reply_by is None:
        enquiry.reply_by = clock.reply_by(timezone.now())
    purposes = [] if silent or not has_address(enquiry) else [TO_THEM[kind]]
    if alarm and (kind != EnquiryKind.REPORT or enquiry.is_flagged):
        purposes.append(Purpose.CLINIC_ALERT)
    if not is_new:
        there = set(enquiry.messages.filter(purpose__in=purposes).values_list("purpose", flat=True))
        purposes = [purpose for purpose in purposes if purpose not in there]
    enquiry.just_answered = TO_THEM[kind] in purposes
    enqueue_first(enquiry, {each: None if each == Purpose.CLINIC_ALERT else not_before for each in purposes})


def _submission_keys(form: Submission) -> list[str]:
    """Keyed hashes of the form's content for this and the previous window, so that no window's edge splits a double click.

    Waits until nobody else is keeping the same form, and only then looks at the clock. A form that was set aside is not the same
    as one that was not: a person whose browser filled in the trap may send it again.
    """
    texts = form.details | form.also
    content = [
        form.kind,
        str(form.sheet.pk if form.sheet else ""),
        "quarantined" if form.caught else "",
        *sorted(form.contact_by),
        # Nobody may get the enquiry that holds the answers unless they sent the same answers.
        form.consented.as_json if form.consented else "",
        *(f"{key}={texts[key]}" for key in sorted(texts)),
    ]
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            turn = int(keyed_hash(*content, purpose="submission")[:15], 16)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turn])
    window = int(timezone.now().timestamp() // SAME_FORM_WITHIN.total_seconds())
    # The first is stored with the enquiry. The others count while keys are being rotated.
    return [key for back in (0, 1) for key in keyed_hashes(*content, str(window - back), purpose="submission")]


def index_missing() -> int:
    """Makes the search keys of enquiries that predate them. Returns how many. Safe to repeat.

    One that no key opens is left for the next time, when its key may be back.
    """
    found = Enquiry.objects.filter(~Exists(SearchToken.objects.filter(enquiry=OuterRef("pk"))), erased_at=None)
    done = 0
    for enquiry in found.order_by("pk").iterator(chunk_size=200):
        with transaction.atomic(), suppress(CannotDecrypt):
            keys = {
                "email_key": blind_index.email_key(enquiry.email),
                "phone_key": blind_index.phone_key(enquiry.phone),
            }
            if not Enquiry.objects.filter(pk=enquiry.pk, erased_at=None).update(**keys):
                continue  # erased a moment ago, so it must not be found by what it held
            SearchToken.write(enquiry)
            done += 1
    return done
