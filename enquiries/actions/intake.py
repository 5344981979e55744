"""A patient's form becomes an enquiry, once."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from backcare.core import limits
from backcare.core.crypto import blind_index
from backcare.core.crypto.encryption import keyed_hash, keyed_hashes
from enquiries import abuse, clock, flood
from enquiries.actions.mail import SUMMARY_DAYS, TO_THEM, enqueue
from enquiries.actions.timeline import record
from enquiries.models import Assessment, Enquiry, EnquiryKind, EventKind, NameWord, Purpose, Status
from enquiries.request_forms import submit_timing
from factsheets.models import FactSheet

logger = logging.getLogger(__name__)

# A second click, the back button or a reload within this time is the same request. A later one is meant.
SAME_FORM_WITHIN = timedelta(minutes=30)

# What an enquiry may hold beside the texts that every form asks for.
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

# A browser's autofill fills in the trap as a robot does, so where a person looked through their answers it is only written down.
TRAP_NOTED = "A hidden field was filled in, as some browsers do"


class SealUsed(Exception):  # noqa: N818 - reads as what happened
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


def accept(
    *,
    kind: str,
    details: dict[str, str],
    contact_by: list[str] | None = None,
    sheet: FactSheet | None = None,
    quarantine_reason: str = "",
    trap: bool = False,
    consented: Consented | None = None,
    also: dict[str, Any] | None = None,
    hold: timedelta = timedelta(0),
    sender: str = "",
    in_no_time: bool = False,
    seal: str = "",
) -> Enquiry:
    """Keeps what a patient sent: the enquiry, its first timeline entry, its answers and its mail, or nothing at all.

    `details` holds the cleaned texts name, email, phone, best_time, description; `also` any of ALSO. The same form sent
    twice within SAME_FORM_WITHIN gives back the enquiry that is already there. A quarantined enquiry sends no mail and promises no
    reply; the mail of others leaves after `hold`. One with a warning sign is never set aside, and always alerts the clinic. `trap`
    says that the field for robots was filled in on a form that somebody looked through: it is accepted, and staff are told.

    `sender` is `limits.client(request)`, counted by enquiries/abuse.py and never kept; empty for what no stranger sent. `seal` is
    that of the page that checked the answers (`request_forms/submit_timing.py`), which is good once. Raises SealUsed, and
    abuse.TooMany for what one sender, or all, may not send; then nothing is kept.
    """
    if unknown := set(also or {}) - ALSO:
        raise TypeError(f"An enquiry keeps no {', '.join(sorted(unknown))}.")
    form = (kind, details, sorted(contact_by or []), sheet, quarantine_reason, trap, consented, also or {}, hold)
    try:
        try:
            return _keep(*form, sender, in_no_time, seal)
        except IntegrityError:
            # Its reference, eight letters of chance, was taken: some five times in a million enquiries. Draw another.
            return _keep(*form, sender, in_no_time, seal)
    except abuse.TooMany as refusal:
        if refusal.in_total:
            abuse.sound_alarm()
        raise


def _keep(
    kind: str,
    details: dict[str, str],
    contact_by: list[str],
    sheet: FactSheet | None,
    quarantine_reason: str,
    trap: bool,
    consented: Consented | None,
    also: dict[str, Any],
    hold: timedelta,
    sender: str,
    in_no_time: bool,
    seal: str,
) -> Enquiry:
    with transaction.atomic():
        flagged = bool(also.get("safety_signs"))
        seen = abuse.standing(sender) if sender else None
        if seen and kind == EnquiryKind.REPORT and not flagged:
            # Before the forms that came are looked at: a sender who may send no more learns nothing about them.
            abuse.refuse_if_too_many(seen)
        keys = _submission_keys(kind, details | also, contact_by, sheet, quarantine_reason, consented)
        now = timezone.now()
        earlier = Enquiry.objects.filter(submission_key__in=keys, created_at__gte=now - SAME_FORM_WITHIN)
        if known := earlier.first():
            return known
        if seal and not limits.once("forms: seal", seal, until=now + timedelta(seconds=submit_timing.GOOD_FOR)):
            raise SealUsed
        decision = abuse.AbuseDecision("" if flagged else quarantine_reason, quarantine_reason)
        marked: dict[str, Any] = {}
        fold = None
        if seen and flagged:
            texts = [details["description"], details["best_time"], also.get("needs") or ""]
            marked = flood.marks(seen=seen, email=details["email"], texts=texts)
            if fold := flood.fold_of(marked):
                abuse.refuse_on_full_disk(kind, seen)
        if seen:
            decision = abuse.assess(
                kind,
                seen=seen,
                email=details["email"],
                caught=quarantine_reason,
                trap=trap,
                in_no_time=in_no_time,
                flagged=flagged,
            )
        if decision.silent == abuse.IN_TOTAL:
            abuse.sound_alarm()
        enquiry = Enquiry(
            kind=kind,
            sheet=sheet,
            **details,
            **also,
            email_key=blind_index.email_key(details["email"]),
            phone_key=blind_index.phone_key(details["phone"]),
            reply_by=None if kind == EnquiryKind.REPORT or decision.aside else clock.reply_by(now),
            **{f"by_{method}": True for method in contact_by},
            status=decision.status,
            quarantine_reason=decision.aside,
            likelihood=decision.likelihood,
            closed_at=now if decision.status == Status.SPAM else None,
            folded=bool(fold),
            submission_key=keys[0],
        )
        # The alarm sounds once for a fold, and again if one comes after staff have dealt with all that were in it.
        alarm = not fold or not flood.is_known_to_staff(fold)
        if fold:
            enquiry.flood_id = fold.first or enquiry.pk
        enquiry.save(force_insert=True)
        if marked:
            flood.leave_marks(enquiry, marked, fold)
        NameWord.objects.bulk_create(
            NameWord(enquiry=enquiry, key=key) for key in sorted(blind_index.name_keys_of(enquiry))
        )
        said = [f"Asked for: {enquiry.get_kind_display()}"]
        if fold:
            said.append("One of many similar forms, grouped in the safety queue")
        if decision.silent and not decision.aside:
            said.append(f"No email sent: {decision.silent.lower()}")
        if trap:
            said.append(TRAP_NOTED)
        record(enquiry, EventKind.RECEIVED, actor="patient", summary=". ".join(said))
        if consented:
            Assessment.objects.create(
                enquiry=enquiry,
                told=consented.as_json,
                questions_version=consented.result["version"],
                consent_version=consented.consent_version,
                expires_at=now + timedelta(days=SUMMARY_DAYS),
            )
        if not decision.aside:
            answer(enquiry, not_before=now + hold, silent=bool(decision.silent), alarm=alarm)
    logger.info("Accepted %s %s", enquiry.kind, enquiry.reference)
    return enquiry


def answer(enquiry: Enquiry, *, not_before: datetime | None = None, silent: bool = False, alarm: bool = True) -> None:
    """Puts the mails that this enquiry brings into the outbox, each once; a silent one those to the clinic alone.

    Without `alarm` the clinic gets none: it was told of another one like it.

    One that was set aside was promised nothing: its promise is made now, and whoever calls this saves it with the row.
    """
    kind = EnquiryKind(enquiry.kind)
    if kind != EnquiryKind.REPORT and enquiry.reply_by is None:
        enquiry.reply_by = clock.reply_by(timezone.now())
    purposes = [] if silent else [TO_THEM[kind]]
    if alarm and (kind != EnquiryKind.REPORT or enquiry.is_flagged):
        purposes.append(Purpose.CLINIC_ALERT)
    for purpose in purposes:
        if not enquiry.messages.filter(purpose=purpose).exists():
            enqueue(
                enquiry=enquiry, purpose=purpose, not_before=None if purpose == Purpose.CLINIC_ALERT else not_before
            )


def _submission_keys(
    kind: str,
    details: dict[str, str],
    contact_by: list[str],
    sheet: FactSheet | None,
    quarantine_reason: str,
    consented: Consented | None,
) -> list[str]:
    """Keyed hashes of the form's content for this and the previous window, so that no window's edge splits a double click.

    Waits until nobody else is keeping the same form, and only then looks at the clock. A form that was set aside is not
    the same as one that was not: a person whose browser filled in the trap may send it again.
    """
    content = [
        kind,
        str(sheet.pk if sheet else ""),
        "quarantined" if quarantine_reason else "",
        *contact_by,
        # Who does not know the answers cannot be given the enquiry that holds them.
        consented.as_json if consented else "",
        *(f"{key}={details[key]}" for key in sorted(details)),
    ]
    database = transaction.get_connection()
    if database.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with database.cursor() as cursor:
            turn = int(keyed_hash(*content, purpose="submission")[:15], 16)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turn])
    window = int(timezone.now().timestamp() // SAME_FORM_WITHIN.total_seconds())
    # The first is kept with the enquiry. The other keys count while a new one is being brought in.
    return [key for back in (0, 1) for key in keyed_hashes(*content, str(window - back), purpose="submission")]


def index_missing() -> int:
    """Makes the search keys of enquiries from before there were any. Returns how many. Safe to repeat."""
    found = Enquiry.objects.filter(email_key="", erased_at=None).order_by("pk")
    done = 0
    for enquiry in found.iterator(chunk_size=200):
        with transaction.atomic():
            keys = {
                "email_key": blind_index.email_key(enquiry.email),
                "phone_key": blind_index.phone_key(enquiry.phone),
            }
            if not found.filter(pk=enquiry.pk).update(**keys):
                continue  # erased a moment ago: nobody shall find it by what it held
            words = (NameWord(enquiry=enquiry, key=key) for key in sorted(blind_index.name_keys_of(enquiry)))
            NameWord.objects.bulk_create(words, ignore_conflicts=True)
        done += 1
    return done
