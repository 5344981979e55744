import re
import secrets
import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from backcare.core import blind_index
from backcare.core.encryption import CannotDecrypt, EncryptedTextField

# No vowels or look-alikes, so that references are easy to read out on the telephone and never spell a word.
REFERENCE_ALPHABET = "BCDFGHJKMNPQRTVWXY346789"


def new_reference() -> str:
    letters = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def as_reference(typed: str) -> str:
    """The reference in a text that was read out, spelt out or pasted, such as “ref. b c d f 2 3 4 6”. "" for anything else."""
    bare = re.sub(r"[\W_]", "", re.sub(r"^\W*ref(erence)?\b", "", typed, flags=re.IGNORECASE)).upper()
    return f"{bare[:4]}-{bare[4:]}" if re.fullmatch(r"[0-9A-Z]{8}", bare) else ""


class EnquiryKind(models.TextChoices):
    """Which form it came from. Our promise and the acknowledgement depend on this."""

    REPORT = "report", "fact sheet by email"
    CONSULTATION = "consultation", "consultation"
    QUESTION = "question", "question"


class IntakeChannel(models.TextChoices):
    """How a request reached the clinic. Only those from the website were typed by the patient."""

    WEBSITE = "website", "on the website"
    PHONE = "phone", "by telephone"
    WALK_IN = "walk_in", "at the clinic"


class Status(models.TextChoices):
    """The state of an enquiry. MOVES says what may follow. Spam and held-back enquiries were promised no reply."""

    NEW = "new", "new"
    IN_PROGRESS = "in_progress", "in progress"
    WAITING = "waiting", "waiting for patient"
    BOOKED = "booked", "booked"
    CLOSED = "closed", "closed"
    SPAM = "spam", "spam"
    HELD = "held", "held back"


# Where an enquiry may go from each status, if it has what the next one needs (`triage.why_not`). Only enquiries wrongly marked
# as spam, or held back in a flood, become new again.
MOVES: dict[str, set[str]] = {
    Status.NEW: {Status.IN_PROGRESS, Status.WAITING, Status.BOOKED, Status.CLOSED, Status.SPAM},
    Status.IN_PROGRESS: {Status.WAITING, Status.BOOKED, Status.CLOSED, Status.SPAM},
    Status.WAITING: {Status.IN_PROGRESS, Status.BOOKED, Status.CLOSED, Status.SPAM},
    Status.BOOKED: {Status.IN_PROGRESS, Status.WAITING, Status.CLOSED},
    Status.CLOSED: {Status.IN_PROGRESS},
    Status.SPAM: {Status.NEW},
    Status.HELD: {Status.NEW, Status.SPAM},
}


class Outcome(models.TextChoices):
    """Why an enquiry was closed."""

    ANSWERED = "answered", "answered"
    SEEN = "seen", "came to the clinic"
    ELSEWHERE = "elsewhere", "went elsewhere (999, 111 or a GP)"
    NOT_REACHED = "not_reached", "could not be reached"
    WITHDRAWN = "withdrawn", "withdrawn by the patient"
    DUPLICATE = "duplicate", "duplicate"
    SENT = "sent", "fact sheet sent"
    ERASED = "erased", "details erased first"
    # Only for enquiries closed before an outcome was asked for.
    NOT_RECORDED = "not_recorded", "not recorded"


# What staff may choose when they close one. The other outcomes are recorded by the system.
STAFF_OUTCOMES = [Outcome.ANSWERED, Outcome.SEEN, Outcome.ELSEWHERE, Outcome.NOT_REACHED, Outcome.WITHDRAWN]


class Agreement(models.TextChoices):
    """For an enquiry on somebody else's behalf: whether that person knows of it, in a colleague's words."""

    YES = "yes", "They know and agree."
    CANNOT = "cannot", "They cannot decide for themselves. Ask who decides for them before you talk about their health."
    NOT_YET = "not_yet", "They do not know about this, or have not agreed. Give general advice only until they do."


# Best times to call are a set of bits, one for each part of each weekday, from 0 (Monday) to 4.
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
DAY_PARTS = ["morning", "afternoon", "early evening"]


def slot_bit(weekday: int, part: int) -> int:
    return 1 << (weekday * len(DAY_PARTS) + part)


def slots_in_words(slots: int) -> list[str]:
    """One line for each weekday: Monday morning, afternoon."""
    lines = []
    for weekday, day in enumerate(WEEKDAYS):
        parts = [name for part, name in enumerate(DAY_PARTS) if slots & slot_bit(weekday, part)]
        if parts:
            lines.append(f"{day} {', '.join(parts)}")
    return lines


OPEN_STATUSES = ["new", "in_progress", "waiting", "booked"]
DONE_STATUSES = ["closed", "spam"]
UNREADABLE = "?"
FLAGGED = Q(live=True, safety_signs__isnull=False, safety_acted_at=None)


class EnquiryQuerySet(models.QuerySet["Enquiry"]):
    """Which enquiries of a flood share a row."""

    def without_folded(self) -> Self:
        """The first with an open warning sign represents all those that a flood folded together (`enquiries/flood.py`)."""
        before = Enquiry.objects.filter(FLAGGED, flood=OuterRef("flood"), folded=True).filter(
            Q(created_at__lt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__lt=OuterRef("pk"))
        )
        return self.exclude(FLAGGED & Q(folded=True) & Exists(before))

    def folded_with(self, enquiry: "Enquiry") -> Self:
        """All that share its row in the safety queue, including itself."""
        return self.filter(FLAGGED, flood=enquiry.flood_id, folded=True)


class Enquiry(models.Model):
    """What one patient asked for. Their own words are encrypted, and nobody can change them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=9, unique=True, default=new_reference, editable=False)
    kind = models.CharField(max_length=14, choices=EnquiryKind, editable=False)
    channel = models.CharField(max_length=8, choices=IntakeChannel, default=IntakeChannel.WEBSITE, editable=False)
    sheet = models.ForeignKey(
        "factsheets.FactSheet",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="enquiries",
        editable=False,
        db_index=False,  # an index below begins with it
    )
    name = EncryptedTextField()
    email = EncryptedTextField("email address")
    phone = EncryptedTextField("phone number", help_text="E.164, or empty.")
    best_time = EncryptedTextField("best time to call")
    by_phone = models.BooleanField("by phone", default=False, editable=False)
    by_video = models.BooleanField("by video", default=False, editable=False)
    by_email = models.BooleanField("by email", default=False, editable=False)
    description = EncryptedTextField("in their words")
    call_slots = models.PositiveIntegerField(
        default=0, editable=False, help_text="When they can be called: see slot_bit. 0: any time."
    )
    may_leave_voicemail = models.BooleanField(null=True, editable=False, help_text="Empty: not asked.")
    may_say_who_calls = models.BooleanField(null=True, editable=False, help_text="Empty: not asked.")
    needs = EncryptedTextField("communication needs", null=True)
    # For an enquiry on somebody else's behalf: all three or none. Without them it is for the person who asks.
    for_name = EncryptedTextField("for somebody else", null=True)
    for_relation = EncryptedTextField("who that is to them", null=True)
    for_agreed = models.CharField(max_length=8, choices=Agreement, blank=True, editable=False)
    # The warning signs found in their words, as codes of the safety advice. Null if there are none, so queues have less to decrypt.
    safety_signs = EncryptedTextField(null=True)
    safety_acted_at = models.DateTimeField(null=True, editable=False)
    # In a flood of forms with warning signs (`enquiries/flood.py`): the first one folded, and whether this one shares its row.
    flood = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="+", editable=False, db_index=False
    )
    folded = models.BooleanField(default=False, editable=False)
    # Find equal addresses and numbers without opening any (keyed hashes).
    email_key = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    phone_key = models.CharField(max_length=64, blank=True, db_index=True, editable=False)

    status = models.CharField(max_length=12, choices=Status, default=Status.NEW)
    # Whether somebody still has work with it, found by the database so that an index can hold only those rows: open enquiries,
    # and those withdrawn with an open safety flag. The latter stay in the safety queue until staff record what they did.
    live = models.GeneratedField(
        expression=Case(
            When(status__in=OPEN_STATUSES, then=Value(True)),
            When(status="closed", safety_acted_at__isnull=True, safety_signs__isnull=False, then=Value(True)),
            default=Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # It has no index of its own, because SQLite would use it for "unassigned" and read every closed enquiry.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="enquiries",
        db_index=False,
    )
    mail_failed = models.BooleanField(default=False, editable=False)
    reply_by = models.DateTimeField(
        null=True, editable=False, help_text="What the patient was told. Empty: nothing was promised."
    )
    waiting_since = models.DateTimeField(null=True, editable=False, help_text="The reply clock is paused from then.")
    return_on = models.DateField(
        null=True, editable=False, help_text="The day on which one that waits, or is in progress, is chased."
    )
    first_contact_at = models.DateTimeField(null=True, editable=False)
    contact_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_call_at = models.DateTimeField(null=True, editable=False)
    # The booked one. Empty once it is cancelled or has an outcome; `appointments` has them all.
    appointment = models.OneToOneField(
        "enquiries.Appointment", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, editable=False)
    same_as = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="linked", editable=False, db_index=False
    )
    quarantine_reason = models.CharField(max_length=80, blank=True, editable=False)
    likelihood = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Of one that was held back: the higher, the likelier a person sent it."
    )
    # Counts changes, so that a page opened before somebody else's change cannot overwrite it.
    version = models.PositiveIntegerField(default=1, editable=False)
    submission_key = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Set with the status (`actions/status.py`). The retention period runs from then.
    closed_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was last closed or set aside. Empty while it is open."
    )
    # The row stays for the statistics and the timeline, without who it was and what they wrote.
    erased_at = models.DateTimeField(null=True, editable=False)

    just_answered = False  # no column: whether the transaction that made this row also queued an email to the patient

    objects = EnquiryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "enquiries"
        permissions = [
            ("read_words_enquiry", "Sees at once what patients wrote"),
            ("read_answers_enquiry", "Sees the answers of a self-assessment"),
            ("export_personal", "Exports enquiries with contact details"),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="enquiry_status_created"),
            # The inbox reads only open enquiries, which stay few however many are closed.
            models.Index(
                fields=["reply_by", "created_at"],
                name="enquiry_open_by_due",
                condition=Q(live=True),
            ),
            # Few rows are linked with another. If the index held the rest too, SQLite would think it useless.
            models.Index(fields=["same_as"], name="enquiry_linked", condition=Q(same_as__isnull=False)),
            models.Index(
                fields=["flood", "created_at"], name="enquiry_of_flood", condition=Q(live=True, flood__isnull=False)
            ),
            # What may be due for erasure: `enquiries/privacy/retention.py`.
            models.Index(fields=["closed_at"], name="enquiry_kept_since", condition=Q(erased_at=None)),
            # For "Mine" and "Unassigned". With a plain index on the owner, the database would read all closed ones that have none.
            models.Index(fields=["owner", "reply_by"], name="enquiry_open_by_owner", condition=Q(live=True)),
            # For the dashboard's last four weeks, however many years there are.
            models.Index(fields=["created_at"], name="enquiry_created"),
            # For the newest about a sheet, however many there are.
            models.Index(fields=["sheet", "created_at"], name="enquiry_of_sheet", condition=Q(sheet__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=EnquiryKind.values), name="enquiry_known_kind"),
            models.CheckConstraint(condition=Q(channel__in=IntakeChannel.values), name="enquiry_known_channel"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="enquiry_known_status"),
            models.CheckConstraint(
                condition=~Q(kind="report") | Q(sheet__isnull=False), name="enquiry_report_names_a_sheet"
            ),
            models.CheckConstraint(
                condition=~Q(kind="consultation") | Q(by_phone=True) | Q(by_video=True) | Q(by_email=True),
                name="enquiry_consultation_has_contact_method",
            ),
            models.CheckConstraint(
                condition=Q(kind="consultation") | Q(by_phone=False, by_video=False, by_email=False),
                name="enquiry_contact_method_only_for_consultation",
            ),
            models.CheckConstraint(condition=Q(call_slots__lt=1 << 15), name="enquiry_call_slots_known"),
            models.CheckConstraint(
                condition=Q(for_agreed="", for_name__isnull=True, for_relation__isnull=True)
                | Q(
                    kind="consultation",
                    for_agreed__in=Agreement.values,
                    for_name__isnull=False,
                    for_relation__isnull=False,
                ),
                name="enquiry_for_someone_else_whole",
            ),
            models.CheckConstraint(
                condition=(~Q(status__in=DONE_STATUSES) & Q(closed_at__isnull=True))
                | Q(status__in=DONE_STATUSES, closed_at__isnull=False),
                name="enquiry_closed_at_when_done",
            ),
            models.CheckConstraint(condition=Q(outcome__in=["", *Outcome.values]), name="enquiry_known_outcome"),
            models.CheckConstraint(
                condition=(Q(status="closed") & ~Q(outcome="")) | (~Q(status="closed") & Q(outcome="")),
                name="enquiry_outcome_when_closed",
            ),
            models.CheckConstraint(
                condition=~Q(status="booked") | Q(appointment__isnull=False), name="enquiry_booked_has_appointment"
            ),
            models.CheckConstraint(
                condition=(
                    ~Q(status__in=["waiting", "in_progress"]) & Q(waiting_since__isnull=True, return_on__isnull=True)
                )
                | Q(status="in_progress", waiting_since__isnull=True)
                | (
                    Q(status="waiting", waiting_since__isnull=False, return_on__isnull=False)
                    & (Q(contact_attempts__gt=0) | Q(first_contact_at__isnull=False))
                ),
                name="enquiry_waiting_after_contact_until_a_day",
            ),
            models.CheckConstraint(
                condition=Q(same_as__isnull=True) | (Q(status="closed") & ~Q(same_as=F("pk"))),
                name="enquiry_same_as_another_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(safety_acted_at__isnull=True) | Q(safety_signs__isnull=False),
                name="enquiry_safety_act_has_a_sign",
            ),
            models.CheckConstraint(
                condition=~Q(status="held") | (~Q(quarantine_reason="") & Q(reply_by__isnull=True)),
                name="enquiry_held_back_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(appointment__isnull=True) | ~Q(status__in=DONE_STATUSES),
                name="enquiry_no_appointment_when_done",
            ),
        ]

    def __str__(self):
        return f"{self.reference} ({self.get_kind_display()})"

    def save_new_version(self) -> Self:
        """Outdates the pages opened before, so that staff who act on one are told what changed."""
        self.version += 1
        self.save()
        return self

    def get_admin_url(self) -> str:
        return reverse("admin:enquiries_enquiry_change", args=[self.pk])

    @property
    def contact_methods(self) -> list[str]:
        chosen = [("phone", self.by_phone), ("video", self.by_video), ("email", self.by_email)]
        return [name for name, wanted in chosen if wanted]

    @property
    def signs(self) -> list[str]:
        """The codes of the warning signs. If no key can decrypt them, UNREADABLE, which is in no record, so it counts as an
        emergency."""
        try:
            return self.safety_signs.split()
        except CannotDecrypt:
            return [UNREADABLE]

    @property
    def is_flagged(self) -> bool:
        """Their words sounded like a red flag, and nobody has yet recorded what they did about it."""
        return bool(self.signs) and self.safety_acted_at is None

    @property
    def is_closed(self) -> bool:
        """Nobody needs to answer it, although the safety flag of a withdrawn one may still be open."""
        return self.status in DONE_STATUSES

    @property
    def opens_to_patient(self) -> bool:
        """Whether the link in our email still opens the patient's request. A report has no such link."""
        return not self.erased_at and self.status not in {Status.SPAM, Status.HELD}

    @property
    def call_times(self) -> list[str]:
        """Their best times in words, one line for each weekday. Empty for any time."""
        return slots_in_words(self.call_slots)

    @property
    def was_contacted(self) -> bool:
        """Whether somebody at the clinic has called or written, with or without an answer."""
        return self.contact_attempts > 0 or self.first_contact_at is not None

    @property
    def appointment_at(self) -> datetime | None:
        """When the booked appointment starts."""
        return self.appointment.starts_at if self.appointment else None

    @property
    def is_booked_ahead(self) -> bool:
        """Whether it has an appointment that is still to come."""
        return self.appointment is not None and self.appointment.starts_at > timezone.now()

    @property
    def is_back(self) -> bool:
        """Whether its follow-up day has come."""
        return self.return_on is not None and self.return_on <= timezone.localdate()

    def may_move_to(self, status: str) -> bool:
        return status in MOVES[self.status]

    @property
    def plain_moves(self) -> list[str]:
        """Where it can go from its status alone. Booking, waiting and closing need more details, so they are steps of their own."""
        open_to_it = MOVES[self.status] - {Status.WAITING, Status.CLOSED}
        if not self.is_booked_ahead:
            open_to_it -= {Status.BOOKED}
        if self.is_flagged:
            open_to_it -= {Status.SPAM}
        if self.erased_at:
            return []
        return [status for status in Status.values if status in open_to_it]


INSERT_HASHES = "INSERT INTO enquiries_searchtoken (enquiry_id, key) SELECT %%s, column1 FROM (VALUES %s) AS hashes"


class SearchToken(models.Model):
    """A keyed hash by which staff find an enquiry from part of a name, address or number, without decrypting any.

    Nobody can tell which kind it is (`backcare/core/blind_index.py`).
    """

    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="search_tokens", editable=False, db_index=False
    )
    key = models.BigIntegerField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "key"], name="search_token_once")]
        # So the newest enquiries with a hash are found at its end, however many there are.
        indexes = [models.Index(fields=["key", "id"], name="search_token_newest")]

    def __str__(self):
        return f"a hash of {self.enquiry_id}"

    @classmethod
    def write(cls, enquiry: Enquiry) -> None:
        """Replaces an enquiry's tokens. Raises CannotDecrypt."""
        with transaction.atomic():
            cls.objects.filter(enquiry=enquiry).delete()
            cls.write_first(enquiry)

    @classmethod
    def write_first(cls, enquiry: Enquiry) -> None:
        """Makes the tokens of an enquiry that has none yet. Raises CannotDecrypt.

        Covers the person who asks and the person they ask for, because either may phone.
        """
        names = [enquiry.name, enquiry.for_name]
        keys = blind_index.stored(names=names, email=enquiry.email, phone=enquiry.phone)
        found_by = cls._meta.get_field("enquiry").get_db_prep_value(enquiry.pk, connection)
        # Plain SQL for some fifty rows, because making objects of them would take a fifth of the form's time. The hashes are our
        # own integers, and stand in the statement: as parameters each would cost more than its row does.
        rows = ", ".join(f"({key:d})" for key in sorted(keys))
        with connection.cursor() as cursor:
            cursor.execute(INSERT_HASHES % rows, [found_by])


class PrivateLink(models.Model):
    """How often a private link was tried with a wrong email address, which limits guessing (enquiries/links.py).

    `name` tells the links of one enquiry apart, because each email has another. Most are never tried wrongly and have no row.
    """

    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="private_links", editable=False
    )
    name = models.CharField(max_length=8, blank=True, editable=False)
    wrong_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    last_wrong_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "name"], name="private_link_once")]

    def __str__(self):
        return f"{self.wrong_tries} wrong tries"
