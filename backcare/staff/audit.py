"""Who did what: one list, newest first, of the records that each part of the site keeps.

Every deed is written once, where it belongs: an enquiry's timeline, a sheet's history, the log of Django's admin. Only signing in
had no record (`StaffEvent`). No line holds what a patient wrote, or who they are: an enquiry is named by its reference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Case, F, Model, OuterRef, Q, QuerySet, Subquery, TextChoices, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from backcare.staff.models import StaffEvent, StaffEventKind
from enquiries.mail.wordings import LABELS, WORDINGS
from enquiries.models import EnquiryEvent, EventKind, Export, ReplyTemplateEdition, WordingEdition
from enquiries.privacy import retention
from factsheets import team
from factsheets.models import (
    Approval,
    Edition,
    GuardOverride,
    KeptClaim,
    ReviewComment,
    SafetyDraftEvent,
    SharedDraftEvent,
)
from factsheets.revisions import became

AT_ONCE = 500  # lines in memory
LOOK_THROUGH = 5000  # lines to search for one page of those with certain words
MAX_PLACE = 80  # characters of a place in the list, as in an address
REFUSALS_TOGETHER = timedelta(hours=1)


class Kind(TextChoices):
    SIGN_IN = "sign_in", "Signing in"
    READ = "read", "Opening enquiries"
    ENQUIRY = "enquiry", "Work on enquiries"
    EXPORT = "export", "Exports"
    ACCOUNT = "account", "Staff accounts and roles"
    SETTING = "setting", "Settings and opening hours"
    CONTENT = "content", "Fact sheets, red flags and approvals"
    WORDING = "wording", "Wording of replies and emails"


@dataclass(frozen=True)
class Asked:
    """Which lines to show. All of them if empty."""

    who: User | None = None
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None  # the first moment after the period
    reference: str = ""
    words: str = ""  # each must be in the line, in any order and case


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    kind: Kind
    what: str
    reference: str = ""  # of an enquiry
    page: str = ""  # the name of another page
    link: str = ""  # to the enquiry or the page, if there is one

    @property
    def about(self) -> str:
        return self.reference or self.page

    def has(self, words: str) -> bool:
        """Whether the words are in what the list shows, apart from the time."""
        shown = " ".join([self.who, self.what, self.about]).casefold()
        return all(word in shown for word in words.casefold().split())


@dataclass(frozen=True)
class Source:
    """One kind of record: its matching rows, and a row in words. `at` and `by` are columns of its table."""

    rows: Callable[[Asked], QuerySet]
    line: Callable[[Model], Line]
    at: str = "at"
    by: str = "by"


@dataclass(frozen=True)
class Place:
    """A line's place in the list. Lines of the same moment are ordered by source, and then by key, newer first."""

    at: datetime
    source: int
    key: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.key}"

    @classmethod
    def read(cls, written: str) -> "Place | None":
        """None if it is not one of our places, so that the list starts at the top."""
        try:
            at, source, key = written[:MAX_PLACE].split("~")
            place = cls(datetime.fromisoformat(at), int(source), key)
            SOURCES[place.source].rows(Asked()).model._meta.pk.to_python(key)
        except (ValueError, IndexError, ValidationError):
            return None
        is_ours = timezone.is_aware(place.at) and 2000 < place.at.year < 3000 and place.source >= 0
        return place if is_ours else None


def page(asked: Asked, *, after: Place | None = None, size: int) -> tuple[list[Line], Place | None]:
    """The lines that follow a place, and the place to continue from if there may be more.

    A search for words stops after LOOK_THROUGH lines, so that the page is quick. It may then hold few lines, or none.
    """
    if not asked.words:
        found, more = _read(asked, after, size)
        return [line for line, _ in found], found[-1][1] if more else None
    fitting: list[tuple[Line, Place]] = []
    for _ in range(LOOK_THROUGH // AT_ONCE):
        found, more = _read(asked, after, AT_ONCE)
        fitting += [each for each in found if each[0].has(asked.words)]
        if len(fitting) > size:
            return [line for line, _ in fitting[:size]], fitting[size - 1][1]
        after = found[-1][1] if more else None
        if after is None:
            break
    return [line for line, _ in fitting], after


def _read(asked: Asked, after: Place | None, size: int) -> tuple[list[tuple[Line, Place]], bool]:
    """This many lines after a place, each with its own place, and whether more follow."""
    found: list[tuple[datetime, int, int, Model]] = []
    for number, source in enumerate(SOURCES):
        rows = _within(source, asked, source.rows(asked), number, after)
        for position, row in enumerate(rows.order_by(f"-{source.at}", "-pk")[: size + 1]):
            found.append((getattr(row, source.at), -number, -position, row))
    found.sort(key=lambda each: each[:3], reverse=True)
    lines = [(SOURCES[-number].line(row), Place(at, -number, str(row.pk))) for at, number, _, row in found[:size]]
    return lines, len(found) > size


def every(asked: Asked) -> Iterator[Line]:
    after: Place | None = None
    while True:
        lines, after = page(asked, after=after, size=AT_ONCE)
        yield from lines
        if after is None:
            return


def _within(source: Source, asked: Asked, rows: QuerySet, number: int, after: Place | None) -> QuerySet:
    if asked.who:
        rows = rows.filter(**{source.by: asked.who})
    if asked.since:
        rows = rows.filter(**{f"{source.at}__gte": asked.since})
    if asked.until:
        rows = rows.filter(**{f"{source.at}__lt": asked.until})
    if after is None:
        return rows
    if number > after.source:
        return rows.filter(**{f"{source.at}__lte": after.at})
    earlier = Q(**{f"{source.at}__lt": after.at})
    if number == after.source:
        earlier |= Q(**{source.at: after.at, "pk__lt": after.key})
    return rows.filter(earlier)


# --- records kept only here ---


def install() -> None:
    """Registers their retention with the purge, which ends them with the staff desk's log. `enquiries` knows no staff accounts."""
    retention.RULES.append(
        retention.Rule(
            "staff_events",
            "Sign-ins of staff, and exports of who did what",
            lambda now: StaffEvent.objects.filter(at__lte=retention.years_before(now)),
        )
    )


def signed_in(user: User, how: str) -> None:
    """`how` they signed in, such as "a code from the app"."""
    StaffEvent.objects.create(
        kind=StaffEventKind.SIGNED_IN, by=user, actor=team.account_name(user), what=f"Signed in with {how}"
    )


DEACTIVATED = "the account is deactivated"  # and the password was right


def refused(user: User | None, what: str) -> None:
    """A refused sign-in. None if no account has the name typed: it is not stored, because it may be a password."""
    lately = timezone.now() - REFUSALS_TOGETHER
    rows = StaffEvent.objects.filter(kind=StaffEventKind.REFUSED, by=user, what=what, at__gt=lately)
    if not rows.update(times=F("times") + 1):
        actor = team.account_name(user) if user else ""
        StaffEvent.objects.create(kind=StaffEventKind.REFUSED, by=user, actor=actor, what=what)


def took_file(user: User, what: str, reason: str) -> None:
    StaffEvent.objects.create(
        kind=StaffEventKind.EXPORTED, by=user, actor=team.account_name(user), what=what, reason=reason
    )


# --- the records in words ---

LOOKS = [EventKind.VIEWED, EventKind.READ]
COMMAND_LINE = "command line"
# Each enquiry's timeline has an entry for it, but in this list the export itself is enough.
ONE_OF_MANY = "With contact details, in an export of"


def _staff_events(asked: Asked) -> QuerySet:
    rows = _named(StaffEvent.objects.all(), asked)
    if asked.kind == Kind.SIGN_IN:
        return rows.exclude(kind=StaffEventKind.EXPORTED)
    return rows.filter(kind=StaffEventKind.EXPORTED) if asked.kind == Kind.EXPORT else _unless(rows, asked.kind)


def _staff_event(row: StaffEvent) -> Line:
    if row.kind == StaffEventKind.EXPORTED:
        return Line(row.at, row.actor, Kind.EXPORT, f"{row.what}. Why: {row.reason}")
    if row.kind == StaffEventKind.SIGNED_IN:
        return Line(row.at, row.actor, Kind.SIGN_IN, row.what)
    whose = f" for the account of {row.actor}" if row.actor else ""
    often = f", {row.times} times within an hour" if row.times > 1 else ""
    why = f"the account of {row.actor} is deactivated" if row.what == DEACTIVATED else f"{row.what}{whose}"
    return Line(row.at, "Someone not signed in", Kind.SIGN_IN, f"Refused: {why}{often}")


def _enquiry_events(asked: Asked) -> QuerySet:
    rows = EnquiryEvent.objects.filter(Q(by__isnull=False) | Q(actor=COMMAND_LINE)).select_related("enquiry")
    if asked.reference:
        rows = rows.filter(enquiry__reference=asked.reference)
    else:
        rows = rows.exclude(kind=EventKind.EXPORTED, summary__startswith=ONE_OF_MANY)
    if asked.kind == Kind.READ:
        rows = rows.filter(kind__in=LOOKS)
    elif asked.kind == Kind.EXPORT:
        rows = rows.filter(kind=EventKind.EXPORTED)
    elif asked.kind == Kind.ENQUIRY:
        rows = rows.exclude(kind__in=[*LOOKS, EventKind.EXPORTED])
    else:
        rows = _unless(rows, asked.kind)
    shown = ["kind", "actor", "from_status", "to_status", "summary", "created_at", "enquiry", "enquiry__reference"]
    return rows.only(*shown)


def _enquiry_event(row: EnquiryEvent) -> Line:
    what = capfirst(row.get_kind_display())
    if row.kind == EventKind.MOVED:
        what = f"Status changed from {row.get_from_status_display()} to {row.get_to_status_display()}"
    if row.summary:
        what = row.summary if row.summary.startswith(what) else f"{what}: {row.summary}"
    kind = Kind.ENQUIRY
    if row.kind in LOOKS:
        kind = Kind.READ
    elif row.kind == EventKind.EXPORTED:
        kind = Kind.EXPORT
    return Line(
        row.created_at,
        capfirst(row.actor),
        kind,
        what,
        reference=row.enquiry.reference,
        link=reverse("admin:enquiries_enquiry_change", args=[row.enquiry_id]),
    )


def _exports(asked: Asked) -> QuerySet:
    return _only(Kind.EXPORT, Export.objects.all(), asked)


def _export(row: Export) -> Line:
    many = f"{row.how_many} enquir{'y' if row.how_many == 1 else 'ies'}"
    details = "with contact details" if row.with_contact_details else "without contact details"
    what = f"Exported {many} {details}. {row.what}. Why: {row.reason}"
    return Line(row.at, row.actor, Kind.EXPORT, what, page="Exports", link=reverse("admin:enquiries_export_changelist"))


# Models whose changes are in a history of their own, with the words.
HAVE_HISTORY = Q(content_type__app_label="factsheets", content_type__model__in=["factsheet", "section"]) | Q(
    content_type__app_label="enquiries", content_type__model="replytemplate"
)
OF_ACCOUNTS = Q(content_type__app_label__in=["auth", "staff"])
# In the app of the fact sheets, and about the clinic.
ABOUT_CLINIC = ["sitenotice", "teammember"]
OF_CONTENT = Q(content_type__app_label="factsheets") & ~Q(content_type__model__in=ABOUT_CLINIC)
OF_ENQUIRIES = Q(content_type__app_label="enquiries", content_type__model="enquiry")
LOGGED = {
    Kind.ACCOUNT: OF_ACCOUNTS,
    Kind.CONTENT: OF_CONTENT,
    Kind.EXPORT: OF_ENQUIRIES & Q(action_flag=CHANGE),
    Kind.ENQUIRY: OF_ENQUIRIES & ~Q(action_flag=CHANGE),
}
OTHERS = ~(OF_ACCOUNTS | OF_CONTENT | OF_ENQUIRIES)  # settings


def _logged(asked: Asked) -> QuerySet:
    kind = Case(*(When(which, then=Value(kind)) for kind, which in LOGGED.items()), default=Value(Kind.SETTING))
    rows = LogEntry.objects.exclude(HAVE_HISTORY & ~Q(action_flag=DELETION)).annotate(kind=kind)
    if asked.reference:
        rows = rows.filter(OF_ENQUIRIES, change_message__contains=asked.reference)
    if asked.kind == Kind.SETTING:
        rows = rows.filter(OTHERS)
    elif asked.kind:
        rows = rows.filter(LOGGED[asked.kind]) if asked.kind in LOGGED else rows.none()
    return rows.select_related("user", "content_type")


def _log_entry(row: LogEntry) -> Line:
    about = row.content_type
    app, model = (about.app_label, about.model) if about else ("", "")
    kind = Kind(row.kind)
    name = capfirst(about.name) if about and about.model_class() else "A record that is no longer kept"
    said = row.get_change_message() or ("Deleted." if row.action_flag == DELETION else "Saved without a change.")
    link = ""
    if row.action_flag != DELETION and row.object_id:
        link = row.get_admin_url() or ""
        if (app, model) == ("auth", "user"):
            link = reverse("admin:account", args=[row.object_id])
        elif (app, model) == ("backcare", "clinicsettings"):
            link = reverse("admin:clinic")
    what = f"{'Account' if kind == Kind.ACCOUNT else name}: {said}"
    return Line(row.action_time, team.account_name(row.user), kind, what, page=row.object_repr, link=link)


OF_A_REPLY = {"name": "Name", "subject": "Subject", "text": "Text"}


def _wordings(asked: Asked) -> QuerySet:
    former = ReplyTemplateEdition.objects.filter(template=OuterRef("template"), pk__lt=OuterRef("pk")).order_by("-pk")
    rows = ReplyTemplateEdition.objects.filter(by__isnull=False).annotate(
        **{f"{name}_before": Subquery(former.values(name)[:1]) for name in OF_A_REPLY}
    )
    return _only(Kind.WORDING, rows, asked)


def _wording(row: ReplyTemplateEdition) -> Line:
    link = reverse("admin:enquiries_replytemplate_change", args=[row.template_id])
    pairs = ((what, getattr(row, f"{name}_before"), getattr(row, name)) for name, what in OF_A_REPLY.items())
    values = "".join(f" {became(what, then, now)}." for what, then, now in pairs if then is not None and then != now)
    unused = "" if row.in_use else " It is out of use."
    return Line(row.at, row.actor, Kind.WORDING, f"Saved a reply template.{values}{unused}", page=row.name, link=link)


def _patients_wordings(asked: Asked) -> QuerySet:
    former = WordingEdition.objects.filter(key=OuterRef("key"), number=OuterRef("number") - 1)
    return _only(Kind.WORDING, WordingEdition.objects.annotate(before=Subquery(former.values("parts")[:1])), asked)


def _patients_wording(row: WordingEdition) -> Line:
    """The page of an email's or page's wording. None if that no longer exists."""
    what = "Changed a wording." if row.parts else "Put the default wording back."
    wording = WORDINGS.get(row.key)
    if wording:
        before, after = (wording.default | (parts or {}) for parts in (row.before, row.parts))
        what += "".join(
            f" {became(LABELS[part], before[part], after[part])}."
            for part in wording.default
            if before[part] != after[part]
        )
    link = reverse("admin:enquiries_wording", args=[row.key]) if wording else ""
    return Line(row.at, row.actor, Kind.WORDING, what, page=wording.name if wording else row.key, link=link)


def _editions(asked: Asked) -> QuerySet:
    rows = Edition.objects.filter(by__isnull=False).select_related("sheet")
    shown = ["step", "number", "actor", "at", "note", "sheet", "sheet__title"]
    return _only(Kind.CONTENT, rows.only(*shown), asked)


def _edition(row: Edition) -> Line:
    what = f"Fact sheet, {row.name}: {row.get_step_display()}{f'. {row.note}' if row.note else ''}"
    link = reverse("admin:factsheets_factsheet_edition", args=[row.sheet_id, row.number])
    return Line(row.at, row.actor, Kind.CONTENT, what, page=row.sheet.title, link=link)


def _overrides(asked: Asked) -> QuerySet:
    return _only(Kind.CONTENT, GuardOverride.objects.select_related("sheet").defer("sheet__document"), asked)


def _override(row: GuardOverride) -> Line:
    what = f"Kept a wording that the claims guard found: “{row.sentence}” Why: {row.reason}"
    link = reverse("admin:factsheets_factsheet_desk", args=[row.sheet_id])
    return Line(row.at, row.actor, Kind.CONTENT, what, page=row.sheet.title, link=link)


def _kept_claims(asked: Asked) -> QuerySet:
    return _only(Kind.WORDING, KeptClaim.objects.all(), asked)


def _kept_claim(row: KeptClaim) -> Line:
    state = "By one person: there was no clinician to agree." if row.alone else "No clinician has agreed yet."
    if row.agreed_at:
        state = f"{row.agreed_actor} agreed."
    what = (
        f"Wanted to keep a wording that the claims guard found: “{row.sentence}” Why: {row.reason.rstrip('.')}. {state}"
    )
    return Line(row.at, row.actor, Kind.WORDING, what, page="Approved exceptions", link=reverse("admin:index"))


def _agreed_claims(asked: Asked) -> QuerySet:
    return _only(Kind.WORDING, KeptClaim.objects.exclude(agreed_at=None), asked)


def _agreed_claim(row: KeptClaim) -> Line:
    what = f"Agreed that a wording may be kept: “{row.sentence}” Asked by {row.actor}. Why: {row.reason}"
    return Line(
        row.agreed_at, row.agreed_actor, Kind.WORDING, what, page="Approved exceptions", link=reverse("admin:index")
    )


def _comments(asked: Asked) -> QuerySet:
    return _only(Kind.CONTENT, ReviewComment.objects.select_related("sheet").defer("sheet__document"), asked)


def _comment(row: ReviewComment) -> Line:
    link = reverse("admin:factsheets_factsheet_desk", args=[row.sheet_id])
    return Line(row.at, row.actor, Kind.CONTENT, f"Comment: “{row.text}”", page=row.sheet.title, link=link)


def _approvals(asked: Asked) -> QuerySet:
    return _only(Kind.CONTENT, Approval.objects.all(), asked)


def _approval(row: Approval) -> Line:
    what = f"{capfirst(row.get_decision_display())}: {row.get_subject_display()}, {row.version}"
    more = f", by {row.clinician}" if row.name else f". Why: {row.reason}"
    link = reverse("admin:factsheets_approval_subject", args=[row.subject])
    return Line(row.at, row.actor, Kind.CONTENT, what + more, page=capfirst(row.get_subject_display()), link=link)


def _draft_events(asked: Asked) -> QuerySet:
    return _only(Kind.CONTENT, SafetyDraftEvent.objects.all(), asked)


def _draft_event(row: SafetyDraftEvent) -> Line:
    what = f"Draft of the red flags: {row.get_step_display()}{f'. {row.what}' if row.what else ''}"
    return Line(
        row.at,
        row.actor,
        Kind.CONTENT,
        what,
        page="Red flags",
        link=reverse("admin:factsheets_safetyadvice_changelist"),
    )


def _shared_draft_events(asked: Asked) -> QuerySet:
    return _only(Kind.CONTENT, SharedDraftEvent.objects.select_related("draft"), asked)


def _shared_draft_event(row: SharedDraftEvent) -> Line:
    draft = row.draft
    what = f"Draft: {row.get_step_display()}{f'. {row.what}' if row.what else ''}"
    return Line(row.at, row.actor, Kind.CONTENT, what, page=draft.name, link=draft.desk_address())


def _unless(rows: QuerySet, kind: str) -> QuerySet:
    """The rows, unless they are not of the kind asked for."""
    return rows.none() if kind else rows


def _named(rows: QuerySet, asked: Asked) -> QuerySet:
    """No rows if the list is for an enquiry, because they name none."""
    return rows.none() if asked.reference else rows


def _only(kind: Kind, rows: QuerySet, asked: Asked) -> QuerySet:
    """Rows of one kind that name no enquiry."""
    return rows.none() if asked.kind not in {"", kind} else _named(rows, asked)


SOURCES = [
    Source(_staff_events, _staff_event),
    Source(_enquiry_events, _enquiry_event, at="created_at"),
    Source(_exports, _export),
    Source(_logged, _log_entry, at="action_time", by="user"),
    Source(_wordings, _wording),
    Source(_patients_wordings, _patients_wording),
    Source(_editions, _edition),
    Source(_overrides, _override),
    Source(_kept_claims, _kept_claim),
    Source(_agreed_claims, _agreed_claim, at="agreed_at", by="agreed_by"),
    Source(_comments, _comment),
    Source(_approvals, _approval),
    Source(_draft_events, _draft_event),
    Source(_shared_draft_events, _shared_draft_event),
]
