"""An invented clinic, and four weeks of it: sixty enquiries in every state, most of the last week. Names say "Demo", addresses are
example.com, and the telephone numbers are those that Ofcom keeps for drama. `manage.py demo` refuses to load it outside a local
run."""

from datetime import datetime, time, timedelta
from itertools import cycle, islice

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from backcare.core.models import INTEREST_STATEMENT, ClinicSettings, ClinicSettingsEdition
from enquiries import clock
from enquiries.actions import appointments, contact, intake, outbox, triage
from enquiries.models import (
    Agreement,
    Channel,
    Enquiry,
    EnquiryEvent,
    EnquiryKind,
    MessageState,
    Outcome,
    Status,
    slot_bit,
)
from enquiries.request_forms.consultation import RELATIONS
from factsheets.models import FactSheet, TeamMember

CLINIC = {
    "name": "Larkfield Back Clinic",
    "phone": "020 7946 0958",
    "email": "hello@example.com",
    "inbox_email": "inbox@example.com",
    "address": "1 Example Street, Larkfield",
    "prices": "First consultation, 45 minutes: £60\nFollow-up, 30 minutes: £45",
    "acupuncture_prices": "First consultation, 45 minutes: £60\nAcupuncture, 30 minutes: £45\n"
    "With the first consultation: four sessions £240, six £330",
    "interest_statement": INTEREST_STATEMENT,
}
PEOPLE = [
    {
        "name": "Ines Demo",
        "role": "physiotherapist",
        "register": "HCPC",
        "number": "PH00000",
        "drawing": "people/woman-curly-hair.svg",
    },
    {
        "name": "Tom Demo",
        "role": "osteopath",
        "register": "GOsC",
        "number": "00000",
        "drawing": "people/man-beard-and-glasses.svg",
    },
    {"name": "Mei Demo", "role": "acupuncturist", "other_register": "BAcC", "drawing": "people/woman-bob.svg"},
]
HOW_MANY = 60
# fmt: off
SURNAMES = [
    "Ashdown", "Brightwell", "Corrigan", "Dunmore", "Ellacott", "Fairlamb", "Garside", "Hollins", "Inskip", "Jessop",
    "Kettlewell", "Lomas", "Marchbank", "Nettleton", "Oakshott", "Penhale", "Quayle", "Rushworth", "Sandiford",
    "Tolliver", "Underhay", "Vickery", "Wadlow", "Yarwood", "Abbotts", "Birtles", "Cressey", "Dainton", "Eccleshare",
    "Fenwright", "Gorringe", "Hathersage", "Ibbotson", "Jolliffe", "Kirkbride", "Leadbitter", "Mossop", "Nunnery",
    "Ormerod", "Pettifer", "Quarmby", "Rowbotham", "Stannard", "Tredinnick", "Unsworth", "Venables", "Winterbourne",
    "Yeadon", "Ackroyd", "Blenkin", "Cattermole", "Drinkall", "Entwistle", "Farthing", "Gledhill", "Holroyd",
    "Ingham", "Jagger", "Kilvert", "Lowther",
]
# fmt: on
CONCERNS = [
    "An ache low in my back for about two months, worse after a day of driving.",
    "Stiff every morning since the spring. I would like to know which exercises are safe to start.",
    "It goes down my right leg as far as the knee when I sit. Six weeks now.",
    "I lift boxes at work and it catches me when I bend. Three weeks.",
    "Long-term pain, over a year. I have had physio. I would like to talk about what else may help.",
    "It started when I was gardening at the weekend. I can walk, but getting up is slow.",
    "Sore between the shoulder blades after working from home at the kitchen table.",
    "On and off for years. It is worse when I am stressed and sleep badly.",
]
NUMB = "It aches as before, but since this morning it feels numb between my legs when I sit down."
QUESTIONS = [
    "Is swimming all right while my back still hurts?",
    "How many visits do most people have, and what do they cost?",
    "Can I come if I take blood thinners?",
    "Do you have step-free access and somewhere to lie down while I wait?",
    "Is a firm mattress better?",
]
SHEETS = ["about-back-pain", "looking-after-your-back", "acupuncture-for-back-pain", "stress-and-back-pain"]
NEEDS = ["BSL interpreter", "Large print", "Text relay", "An interpreter: Polish", "My daughter helps me on the phone"]
# Of the consultations, who asks for somebody else: for whom, and in what words.
FOR_SOMEBODY = {
    47: (
        {"for_name": "Demo Albert Yeadon", "for_relation": RELATIONS["parent"].kept, "for_agreed": Agreement.YES},
        "My father has had an ache low in his back since the summer. He does not like the phone, so please ring me.",
    ),
    49: (
        {"for_name": "Demo Rosa Blenkin", "for_relation": RELATIONS["partner"].kept, "for_agreed": Agreement.NOT_YET},
        "My wife is stiff every morning and says that it is nothing. What could help her?",
    ),
}
# How each ended: sixty rows in this pattern, the newest still to do.
STATES = [
    "new",
    "new",
    "tried",
    "spoke",
    "waiting",
    "booked",
    "closed",
    "replied",
    "closed",
    "spam",
    "closed",
    "booked",
]
EARLIER = 33  # of the sixty are of the three weeks before the last one
ANSWERED_AFTER = [3, 1, 22, 2, 5, 70, 3]  # hours
LATE = {37, 49}  # of those still to do: nobody has answered in time
WARNING = {3, 10, 11}  # of the consultations: their words sound like a sign


@transaction.atomic
def clinic() -> None:
    """The invented clinic and its people, where nobody has entered any."""
    row = ClinicSettings.stored()
    if not (row.phone or row.email or row.inbox_email or row.version > 1):
        for name, value in CLINIC.items():
            setattr(row, name, value)
        row.save()
        first, _ = ClinicSettingsEdition.objects.get_or_create(version=1, defaults={"values": row.as_saved()})
        first.values |= CLINIC
        first.save()
    if not TeamMember.objects.exists():
        for position, each in enumerate(PEOPLE, start=1):
            TeamMember.objects.create(position=10 * position, **each)


@transaction.atomic
def load(*, now: datetime | None = None) -> int:
    """Makes the four weeks that end now, whole or not at all. Returns how many enquiries they have."""
    now = now or timezone.now()
    team = cycle(User.objects.filter(username__in=["reception", "clinician"]).order_by("-username"))
    kinds = islice(
        cycle(
            [
                EnquiryKind.CONSULTATION,
                EnquiryKind.REPORT,
                EnquiryKind.CONSULTATION,
                EnquiryKind.QUESTION,
                EnquiryKind.CONSULTATION,
            ]
        ),
        HOW_MANY,
    )
    sheets = {sheet.slug: sheet for sheet in FactSheet.objects.filter(slug__in=SHEETS)}
    made = 0
    for number, (kind, surname, at) in enumerate(zip(kinds, SURNAMES, _moments(now), strict=True)):
        enquiry = _accept(number, kind, surname, sheets)
        _make_it_of(enquiry, at)
        state = "new" if at > now - timedelta(hours=20) and number % 3 else STATES[number % len(STATES)]
        if number < EARLIER and state != "spam":
            state = "closed" if number % 5 else "replied"
        if kind == EnquiryKind.REPORT:
            _delivered(enquiry, at)
        else:
            done = at + timedelta(hours=ANSWERED_AFTER[number % len(ANSWERED_AFTER)])
            _live(enquiry, state, next(team), min(done, now), now)
        if number in LATE and state == "new":
            Enquiry.objects.filter(pk=enquiry.pk).update(reply_by=now - timedelta(hours=3))
        made += 1
    return made


def _moments(now: datetime) -> list[datetime]:
    """Sixty moments, oldest first, most of them in working hours and some in the evening."""
    hours = [8, 9, 9, 10, 11, 12, 14, 15, 16, 19, 21]
    day = timezone.localdate(now) - timedelta(days=7)
    found = []
    while len(found) < HOW_MANY:
        found = [
            timezone.make_aware(datetime.combine(day + timedelta(days=ahead), time(hour, (ahead * 17 + hour * 7) % 60)))
            for ahead in range(8)
            for hour in hours
        ]
    found = [moment for moment in found if moment < now - timedelta(minutes=5)][-HOW_MANY:]
    earlier = [
        moment - timedelta(days=7 * (3 - number * 3 // EARLIER)) for number, moment in enumerate(found[:EARLIER])
    ]
    return earlier + found[EARLIER:]


def _accept(number: int, kind: str, surname: str, sheets: dict) -> Enquiry:
    consultation = kind == EnquiryKind.CONSULTATION
    words = {EnquiryKind.CONSULTATION: CONCERNS, EnquiryKind.QUESTION: QUESTIONS, EnquiryKind.REPORT: [""]}[kind]
    by_phone = consultation and number % 4 != 2
    also = {}
    if by_phone:
        also = {
            "call_slots": [0, slot_bit(0, 0) | slot_bit(2, 0) | slot_bit(4, 0), slot_bit(1, 1) | slot_bit(3, 1), 0][
                number % 4
            ],
            "may_leave_voicemail": number % 3 != 0,
            "may_say_who_calls": number % 5 != 0,
        }
    if consultation and number % 7 == 0:
        also["needs"] = NEEDS[number // 7 % len(NEEDS)]
    if consultation and number // 5 in WARNING:
        also["safety_signs"] = "RF-E1"
    for_whom, theirs = FOR_SOMEBODY.get(number, ({}, ""))
    submission = intake.Submission(
        kind=kind,
        details={
            "name": f"Demo {surname}",
            "email": f"{surname.lower()}@example.com",
            "phone": f"+4420794600{number:02}" if by_phone else "",
            "best_time": "",
            "description": theirs or (NUMB if "safety_signs" in also else words[number % len(words)]),
        },
        contact_by=("phone" if by_phone else "email",) if consultation else (),
        sheet=sheets.get(SHEETS[number % len(SHEETS)]) if kind == EnquiryKind.REPORT else None,
        caught="A hidden field was filled in" if number % 29 == 9 else "",
        also=also | for_whom,
    )
    return intake.accept(submission)


def _make_it_of(enquiry: Enquiry, at: datetime) -> None:
    """As if it had arrived then, and its email had been sent a minute later."""
    promised = None if enquiry.kind == EnquiryKind.REPORT else clock.reply_by(at)
    Enquiry.objects.filter(pk=enquiry.pk).update(created_at=at, reply_by=promised)
    EnquiryEvent.objects.filter(enquiry=enquiry).update(created_at=at)
    gone = at + timedelta(minutes=1)
    enquiry.messages.update(state=MessageState.SENT, sent_at=gone, created_at=at, attempts=1)
    enquiry.refresh_from_db()


def _delivered(enquiry: Enquiry, at: datetime) -> None:
    if enquiry.status == Status.NEW:
        outbox.message_was_sent(message=enquiry.messages.get())
        EnquiryEvent.objects.filter(enquiry=enquiry, created_at__gt=at).update(created_at=at + timedelta(minutes=1))


def _live(enquiry: Enquiry, state: str, who: User, done: datetime, now: datetime) -> None:
    if enquiry.status == Status.SPAM or (enquiry.is_flagged and state == "new"):
        return
    before = timezone.now()
    if enquiry.is_flagged:
        asked = {"advice": contact.Advice.NO_SIGN, "note": "Rang at once. No new signs; knows when to call 999."}
        contact.log_call(enquiry=enquiry, by=who, result=contact.CallResult.SPOKE, **asked)
    if state in {"tried", "waiting"}:
        result = contact.CallResult.VOICEMAIL if state == "waiting" else contact.CallResult.NO_ANSWER
        contact.log_call(enquiry=enquiry, by=who, result=result, note="Rang at a best time.")
    if state in {"spoke", "booked", "closed"}:
        contact.log_call(
            enquiry=enquiry, by=who, result=contact.CallResult.SPOKE, note="Told them what a first visit is like."
        )
    if state == "replied":
        contact.reply(
            enquiry=enquiry,
            by=who,
            text="Hello,\n\nThank you for writing. Please phone us, so that we can find a time.\n",
        )
    if state == "waiting":
        back = timezone.localdate(now) + timedelta(days=3)
        triage.triage(enquiry=enquiry, by=who, to=Status.WAITING, return_on=back)
    if state == "booked":
        day = timezone.localdate(now) + timedelta(days=4)
        at_ten = timezone.make_aware(datetime.combine(day, time(10, 30)))
        appointments.book(enquiry=enquiry, by=who, at=at_ten, channel=Channel.PHONE)
    if state == "closed":
        triage.triage(enquiry=enquiry, by=who, to=Status.CLOSED, outcome=Outcome.ANSWERED)
    if state == "spam":
        triage.triage(enquiry=enquiry, by=who, to=Status.SPAM)
    EnquiryEvent.objects.filter(enquiry=enquiry, created_at__gte=before).update(created_at=done)
    enquiry.messages.exclude(state=MessageState.SENT).update(
        state=MessageState.SENT, sent_at=done, created_at=done, attempts=1
    )
    Enquiry.objects.filter(pk=enquiry.pk, first_contact_at__isnull=False).update(first_contact_at=done)
