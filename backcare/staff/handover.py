"""What a leaver is working on, and who takes it over: enquiries with their planned calls, appointments, unsent drafts."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone

from enquiries import clock, staff_members
from enquiries.actions.appointments import book, time_in_words
from enquiries.actions.outbox import has_address, lock_enquiry
from enquiries.actions.triage import assign
from enquiries.inbox import diary
from enquiries.models import Appointment, Enquiry, EventKind, StaffDraft
from enquiries.models.event import record
from factsheets import autosave as of_sheets
from factsheets import team
from factsheets.models import TeamMember, UnsavedEdit

WRITES_SHEETS = "factsheets.change_factsheet"


class Doubtful(Exception):
    """The colleague has something else at the time of an appointment. Sending `mark` back hands over anyway."""

    def __init__(self, said: list[str], mark: str) -> None:
        super().__init__(" ".join(said))
        self.mark = mark


class CannotTakeOver(Exception):
    """The colleague may not open enquiries any more. The text is for the owner."""


@dataclass(frozen=True)
class Work:
    enquiries: int = 0  # open
    calls: int = 0  # of those: with a call planned
    appointments: int = 0  # to come
    drafts: int = 0  # typed on an enquiry's page, and not sent
    edits: int = 0  # typed into a fact sheet, and not saved

    @property
    def lines(self) -> list[str]:
        """Each kind that occurs, with its number."""
        counted = (
            (self.enquiries, "open enquiry", "open enquiries"),
            (self.calls, "planned call", "planned calls"),
            (self.appointments, "appointment to come", "appointments to come"),
            (self.drafts, "unsent draft", "unsent drafts"),
            (self.edits, "unsaved change of a fact sheet", "unsaved changes of fact sheets"),
        )
        return [f"{number} {one if number == 1 else more}" for number, one, more in counted if number]

    def __str__(self) -> str:
        return ", ".join(self.lines)


@dataclass(frozen=True)
class HandedOver:
    work: Work
    to_phone: list[str]  # references of patients whom no email can tell who sees them now
    unnamed: int  # appointments that stay, and name nobody


def work_of(user: User) -> Work:
    mine = Enquiry.objects.filter(live=True, owner=user)
    return Work(
        enquiries=mine.count(),
        calls=mine.filter(next_call_at__isnull=False).count(),
        appointments=_appointments_of(user).count(),
        drafts=StaffDraft.objects.filter(by=user).count(),
        edits=UnsavedEdit.objects.filter(by=user).exclude(typed="").count(),
    )


def hand_over(*, of: User, to: User | None, by: User, sure: str = "") -> HandedOver:
    """Gives all of it to `to`, or without one back to the queue, in the caller's transaction.

    A patient with an appointment is emailed when a colleague takes it over. Without one, or with one who is not among the people
    who work here, it stays, and names nobody until somebody books it again. Without one, drafts go to `by`, because somebody has
    to own them; so do changes of fact sheets that the colleague could not save. Raises CannotTakeOver, and Doubtful while a clash
    in the colleague's diary is unread.
    """
    from enquiries.admin import autosave as of_enquiries  # needs the staff site, which needs this module

    if to is not None and not staff_members.may_open(to):
        raise CannotTakeOver(f"{team.account_name(to)} cannot open enquiries. Choose someone who can.")
    booked = list(_appointments_of(of).order_by("starts_at", "pk"))
    person = team.of(to)
    if person is not None:
        _expect_free(person, booked, sure)
    work, to_phone, unnamed = work_of(of), [], 0
    touched = {each.enquiry_id for each in booked}
    touched |= set(Enquiry.objects.filter(live=True, owner=of).values_list("pk", flat=True))
    for pk in sorted(touched):  # in the order in which others lock several
        enquiry = lock_enquiry(Enquiry(pk=pk))
        appointment = enquiry.appointment
        if enquiry.live and enquiry.owner_id in {of.pk, None if to else of.pk}:
            assign(enquiry, to, by=by)
            enquiry.save_new_version()
        if appointment is None or not appointment.is_to_come:
            continue
        if appointment.with_whom is None or appointment.with_whom.account_id != of.pk:
            continue
        if person is None:
            _name_nobody(enquiry, appointment, by)
            unnamed += 1
            continue
        book(
            enquiry=enquiry,
            by=by,
            at=appointment.starts_at,
            channel=appointment.channel,
            minutes=appointment.minutes,
            with_whom=person,
            place=appointment.place or "",
            remind=appointment.remind,
        )
        if not has_address(enquiry):
            to_phone.append(enquiry.reference)
    taker = to or by
    if taker != of:
        of_enquiries.pass_on(of=of, to=taker)
        of_sheets.pass_on(of=of, to=taker if taker.has_perm(WRITES_SHEETS) else by)
    return HandedOver(work, to_phone, unnamed)


def _appointments_of(user: User):
    return Appointment.objects.to_come(timezone.now()).filter(with_whom__account=user)


def _expect_free(to: TeamMember, booked: list[Appointment], sure: str) -> None:
    hours, now = clock.load().hours, timezone.now()
    said = []
    for each in booked:
        found = diary.concerns(each.starts_at, each.minutes, with_whom=to, hours=hours, now=now, but=each)
        before = diary.concerns(each.starts_at, each.minutes, with_whom=each.with_whom, hours=hours, now=now, but=each)
        said += [f"{time_in_words(each)}: {concern}" for concern in found if concern not in before]
    if said and sure != (mark := diary.mark_of(booked[0].starts_at, said)):
        raise Doubtful(said, mark)


def _name_nobody(enquiry: Enquiry, appointment: Appointment, by: User) -> None:
    before = appointment.with_whom
    appointment.with_whom = None
    appointment.save(update_fields=["with_whom"])
    summary = f"{time_in_words(appointment)}: no longer with {before}, and with nobody in particular yet"
    record(enquiry, EventKind.APPOINTMENT, by=by, summary=summary[:200])
    enquiry.save_new_version()
