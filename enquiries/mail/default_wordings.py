"""The emails and confirmation pages whose words an owner may change: their defaults, and the placeholders that each offers.

Nothing here offers what a stranger typed into a form: anyone can cause these emails to be sent to anyone. The safety advice, the
footer, “Stop these emails” and the deletion link are not here, because they can be neither changed nor left out; nor is the
subject of an urgent alert, or what emails with a link into an account warn of.
"""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    INLINE = "inline"  # words in a sentence
    LINK = "link"  # {link: words}: the words become a link
    BLOCK = "block"  # has a line to itself


@dataclass(frozen=True)
class Placeholder:
    name: str
    means: str
    kind: Kind = Kind.INLINE
    needed_in: str = ""  # the part that must have it
    in_subject: bool = False  # others may read a subject, on a locked screen or in a log

    @property
    def written(self) -> str:
        return f"{{{self.name}: your words}}" if self.kind == Kind.LINK else f"{{{self.name}}}"


@dataclass(frozen=True)
class Wording:
    key: str
    name: str
    when: str
    default: dict[str, str]
    own: tuple[Placeholder, ...] = ()
    is_page: bool = False
    to_staff: bool = False  # without the safety card and the footer
    subject: str = ""  # where it is not to be changed
    always: str = ""  # what the system adds below the text
    fixed: tuple[str, ...] = ()  # what the system adds, in words for staff

    @property
    def placeholders(self) -> dict[str, Placeholder]:
        return {each.name: each for each in (*self.own, *EVERYWHERE)}


EVERYWHERE = (
    Placeholder("clinic", "the clinic’s name", in_subject=True),
    Placeholder("phone", "the clinic’s phone number", in_subject=True),
)
LABELS = {"subject": "Subject", "heading": "Heading", "lead": "First sentence", "text": "Text"}
MAX_LENGTH = {"subject": 120, "heading": 120, "lead": 300, "text": 4000}  # characters

REPLY_TIME = Placeholder(
    "reply time", "“We will reply by 5pm on Tuesday 1 December.”, or that we do not know yet", needed_in="text"
)
REQUEST = Placeholder("link", "the patient’s private link to their request", Kind.LINK, needed_in="text")
APPOINTMENT = Placeholder(
    "appointment", "when, how long, how, with whom and where, as a table", Kind.BLOCK, needed_in="text"
)
TIME = Placeholder("time", "10:30am on Monday 30 November: the appointment that is off", needed_in="text")
REMINDER = Placeholder(
    "reminder",
    "that a reminder will come, with a link to refuse it; nothing if there is none",
    Kind.BLOCK,
    needed_in="text",
)
ALL_SIGNS = "the list of signs that need 999"
ADVICE = "above your text, if the patient has a warning sign: the advice for it"
STOP = "“Not you? Stop these emails”"
SHORT_CARD = "the short emergency card (all the signs, while a warning sign is open)"
FOOTER = "the clinic’s name, phone number and hours"

NO_ANSWER = "Please do not reply to this email."
CHANGE_IT = f"""To change it, phone us. {NO_ANSWER}

{{link: Cancel it online or tell us something}}"""


def _acknowledgement(what: str, also: str) -> str:
    return f"""Hello,

Thank you for getting in touch. {{reply time}}

{{link: See your {what}, {also}add something or withdraw it}}

{NO_ANSWER} If something has changed, or you did not ask for this, phone us."""


CONFIRMATION = (
    Placeholder("reply time", "“We will reply by 5pm on Tuesday 1 December.”", needed_in="lead"),
    Placeholder("confirmation", "whether we will email to confirm it", needed_in="text"),
)
WHAT_IS_LEFT = ("what is left, and for how long our backups have it", "what to do if it gets worse")
PAGE_FIXED = (
    "if the patient has a warning sign: the advice for it, in place of your first sentence",
    "if we promise no reply, such as while we are flooded with forms: why, in place of your list",
    "the private link, where no email comes",
    "what to do if it gets worse",
)

WHICH = Placeholder("which", "“request” or “question”")
PORTAL_FIXED = (
    "after the heading, if what they wrote has a warning sign: the advice for it, in place of your first sentence",
    "what we have of their request, and what they can do with it",
    "what to do if it gets worse",
)

SIGN_IN = Placeholder("link", "the page on the staff desk", Kind.LINK, needed_in="text")
REFERENCE = Placeholder("reference", "the enquiry’s reference", needed_in="text", in_subject=True)
USERNAME = Placeholder("username", "what they sign in with", needed_in="text")
NOT_EXPECTED = (
    "Did you not expect this? Then do nothing, and tell the clinic. "
    "Do not forward this email: the link is for you alone."
)
NOT_ASKED = (
    "If it was not you, do nothing: your password stays as it is. If it happens again, tell an owner of the site."
)
URGENT = "Urgent: please look now"

TO_STAFF = (
    Wording(
        "clinic_alert",
        "New enquiry",
        "To the inbox for alerts, when a consultation or question arrives",
        {
            "subject": "New enquiry {reference}",
            "heading": "New enquiry {reference}",
            "text": """A new enquiry is in the inbox: {reference}. Sign in to open it:

{link: Open it in the inbox}""",
        },
        (REFERENCE, SIGN_IN),
        to_staff=True,
    ),
    Wording(
        "urgent_alert",
        "Urgent alert",
        "To the inbox for alerts, or to one clinician, while a warning sign is open",
        {
            "text": """Please look now at enquiry {reference}. Sign in to open it:

{link: Open it in the inbox}""",
        },
        (REFERENCE, SIGN_IN),
        to_staff=True,
        subject=URGENT,
        fixed=(f"the subject and heading “{URGENT}”, by which staff know these emails",),
    ),
    Wording(
        "change_alert",
        "Patient changed an enquiry",
        "To the inbox for alerts, when a patient has added something, changed times or withdrawn",
        {
            "subject": "Please look at enquiry {reference}",
            "heading": "Please look at enquiry {reference}",
            "text": """The patient has made a change to enquiry {reference}. Please look at it soon. Sign in to open it:

{link: Open it in the inbox}""",
        },
        (REFERENCE, SIGN_IN),
        to_staff=True,
    ),
    Wording(
        "digest",
        "Summary of the inbox",
        "To the inbox for alerts, on the morning of each working day when something is waiting",
        {
            "subject": "The inbox on {day}",
            "heading": "The inbox on {day}",
            "text": """These enquiries need attention. Sign in to open them:

{queues}

{link: Open the inbox}""",
        },
        (
            Placeholder("day", "Monday 30 November", in_subject=True),
            Placeholder("queues", "each queue with its number of enquiries", Kind.BLOCK, needed_in="text"),
            SIGN_IN,
        ),
        to_staff=True,
    ),
    Wording(
        "abuse_alarm",
        "Too many forms",
        "To the inbox for alerts, once a day at most, when more forms arrive in an hour than the website allows",
        {
            "subject": "Too many forms on the website",
            "heading": "Too many forms on the website",
            "text": """The website has received more forms in an hour than it allows: {number} over the limit so far. \
Someone may be trying to flood other people’s mailboxes, or yours.

Fact sheets were not sent. Consultations and questions are being held back, with no promise of a reply. Nothing is lost. Sign in \
to release them once the flood is over:

{link: Open held back enquiries}

We send this email no more than once a day.""",
        },
        (Placeholder("number", "how many forms over the limit", needed_in="text"), SIGN_IN),
        to_staff=True,
    ),
    Wording(
        "review_reminder",
        "Review of a fact sheet is due",
        "To editors, 60 and 30 days before a review is due, and on the day",
        {
            "subject": "Review {due}: {sheet}",
            "heading": "{sheet}",
            "text": """Hello,

{when} {last review}

{public page}

{page: See the public page}

Ask a clinician who did not write it to review it and sign it off with a date for the next review. Sign in to open it:

{link: Open it on the staff desk}

You are getting this email because you can edit fact sheets. You do not need to reply.""",
        },
        (
            Placeholder("sheet", "the fact sheet’s title", in_subject=True),
            Placeholder("due", "“due on 1 March 2027” or “overdue since 1 March 2027”", in_subject=True),
            Placeholder("when", "a sentence: when the review is or was due", needed_in="text"),
            Placeholder("last review", "a sentence: who reviewed it last; nothing if nobody has"),
            Placeholder("public page", "a sentence: what readers are told about the review"),
            Placeholder("page", "the fact sheet on the website", Kind.LINK),
            SIGN_IN,
        ),
        to_staff=True,
    ),
    Wording(
        "sheet_review",
        "Step of a draft",
        "To reviewers and authors, when a draft is sent for review, sent back, signed off or published",
        {
            "subject": "{step}: {title}",
            "heading": "{title}",
            "text": """Hello,

{what happened}

{note}

{link: Open it on the staff desk}

You are getting this email because you write or review fact sheets. You do not need to reply.""",
        },
        (
            Placeholder("step", "“Please review”, “Sent back to you”, “Signed off” or “Published”", in_subject=True),
            Placeholder("title", "the fact sheet, or what else was drafted", in_subject=True),
            Placeholder("what happened", "who did what, and what comes next", needed_in="text"),
            Placeholder("note", "what that colleague wrote with it; nothing if they wrote nothing", needed_in="text"),
            SIGN_IN,
        ),
        to_staff=True,
    ),
    Wording(
        "invitation",
        "Invitation to the staff desk",
        "When an owner makes a staff account",
        {
            "subject": "You are invited to the staff desk of {clinic}",
            "heading": "Your staff account",
            "text": """Hello,

{clinic} has made you a staff account. Your role: {role}.

Have your phone beside you. The link leads you to choose a password and to set up your phone as a second factor.

{link: Choose your password}

The link works once, until {until}. After that, ask an owner of the site to invite you again.

Your username: {username}""",
        },
        (
            Placeholder("role", "such as reception or clinician"),
            Placeholder("link", "the page on which they choose a password", Kind.LINK, needed_in="text"),
            Placeholder("until", "10:30am on Monday 30 November: when the link ends", needed_in="text"),
            USERNAME,
        ),
        to_staff=True,
        always=NOT_EXPECTED,
        fixed=(f"below your text: “{NOT_EXPECTED}”",),
    ),
    Wording(
        "password_reset",
        "New password for the staff desk",
        "When someone presses “Forgotten your password?” for a staff account",
        {
            "subject": "Choose a new password for the staff desk",
            "heading": "A new password",
            "text": """Hello,

Someone asked for a new password for your staff account at {clinic}. If it was you, choose one here:

{link: Choose a new password}

The link works once, for one hour. You still need your phone or a recovery code to sign in.

Your username: {username}""",
        },
        (
            Placeholder("link", "the page on which they choose a new password", Kind.LINK, needed_in="text"),
            USERNAME,
        ),
        to_staff=True,
        always=NOT_ASKED,
        fixed=(f"below your text: “{NOT_ASKED}”",),
    ),
    Wording(
        "test_message",
        "Test message",
        "When an owner tests whether email arrives",
        {
            "subject": "Test message from {clinic}",
            "heading": "Test message",
            "text": """This is a test message from {clinic}.

The code is {code}

Type it in on the page where you asked for this message, within an hour. Then everyone knows that email from this website arrives.

If this was in your spam folder, tell the person who looks after your email. Patients’ emails may end up there too.""",
        },
        (Placeholder("code", "the six digits that show that it arrived", needed_in="text"),),
        to_staff=True,
    ),
)

WORDINGS = {
    each.key: each
    for each in (
        Wording(
            "consultation_acknowledgement",
            "Request received",
            "At once, to anyone who asks for a consultation",
            {
                "subject": "{clinic} has your request",
                "heading": "We have your request for a consultation",
                "text": _acknowledgement("request", "change the times to call, "),
            },
            (REPLY_TIME, REQUEST),
            fixed=(ADVICE, STOP, ALL_SIGNS, FOOTER),
        ),
        Wording(
            "question_acknowledgement",
            "Question received",
            "At once, to anyone who asks a question",
            {
                "subject": "{clinic} has your question",
                "heading": "We have your question",
                "text": _acknowledgement("question", ""),
            },
            (REPLY_TIME, REQUEST),
            fixed=(ADVICE, STOP, ALL_SIGNS, FOOTER),
        ),
        Wording(
            "report",
            "Fact sheet by email",
            "At once, to anyone who asks for a fact sheet",
            {
                "subject": "Your fact sheet from {clinic}",
                "heading": "Your fact sheet: {sheet}",
                "text": """Hello,

Here is the fact sheet you asked for. Its leaflet of two sides is attached as a PDF. The page on our website \
has more: the studies in numbers, the words explained and every source.

- {page: Read it on our website}
- {large print: The leaflet in large print}
- {whole sheet: The whole sheet as a PDF}

{summary}""",
            },
            (
                Placeholder("sheet", "the fact sheet’s title"),
                Placeholder("page", "the fact sheet’s page", Kind.LINK, needed_in="text"),
                Placeholder("large print", "its leaflet in large print", Kind.LINK),
                Placeholder("whole sheet", "the whole sheet as a PDF", Kind.LINK),
                Placeholder(
                    "summary",
                    "the link to their private summary; nothing if they did not want one",
                    Kind.BLOCK,
                    needed_in="text",
                ),
            ),
            fixed=(ADVICE, STOP, "when we delete their details, and “Delete my data now”", ALL_SIGNS, FOOTER),
        ),
        Wording(
            "booking",
            "Appointment booked",
            "When staff book an appointment",
            {
                "subject": "Your appointment with {clinic}",
                "heading": "Your appointment",
                "text": f"""Hello,

Here are the details of your appointment.

{{appointment}}

Open the attached file to add it to your calendar.

{CHANGE_IT}

{{reminder}}""",
            },
            (APPOINTMENT, REQUEST, REMINDER),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "booking_changed",
            "Appointment changed",
            "When staff move or change an appointment that the patient has been told of",
            {
                "subject": "Your appointment with {clinic} has changed",
                "heading": "Your appointment has changed",
                "text": f"""Hello,

{{what changed}}

{{appointment}}

Open the attached file to update the entry in your calendar.

{CHANGE_IT}

{{reminder}}""",
            },
            (
                Placeholder(
                    "what changed",
                    "“We have moved your appointment. This replaces the one at 10:30am on Monday 30 November.”, or that "
                    "the time is the same",
                    needed_in="text",
                ),
                APPOINTMENT,
                REQUEST,
                REMINDER,
            ),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "booking_reminder",
            "Appointment reminder",
            "On the working day before, unless the patient does not want it",
            {
                "subject": "Reminder: your appointment with {clinic}",
                "heading": "Your appointment",
                "text": f"""Hello,

This is a reminder of your appointment.

{{appointment}}

{CHANGE_IT}

{{no reminder: Do not send me reminders}}""",
            },
            (
                APPOINTMENT,
                REQUEST,
                Placeholder("no reminder", "the link that stops reminders", Kind.LINK, needed_in="text"),
            ),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "cancelled_by_clinic",
            "Appointment cancelled by us",
            "When staff cancel an appointment that the patient has been told of",
            {
                "subject": "Your appointment with {clinic} is cancelled",
                "heading": "Your appointment is cancelled",
                "text": f"""Hello,

We are sorry, but we have had to cancel your appointment at {{time}}. Please phone us to arrange another time.

Open the attached file to take it out of your calendar. {NO_ANSWER}""",
            },
            (TIME,),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "cancelled_by_patient",
            "Appointment cancelled by the patient",
            "When a patient has cancelled",
            {
                "subject": "Your appointment with {clinic} is cancelled",
                "heading": "Your appointment is cancelled",
                "text": f"""Hello,

Your appointment at {{time}} is cancelled, as you asked. To arrange another one, phone us.

Open the attached file to take it out of your calendar. {NO_ANSWER}""",
            },
            (TIME,),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "new_link",
            "New private link",
            "When staff send a patient a new private link",
            {
                "subject": "Your private link from {clinic}",
                "heading": "Your private link",
                "text": """Here is a new link to see what you asked us. Please use this one, because an older link may have \
stopped working. It asks for your email address first, so that nobody else can open it.

{link: See what you asked us, add something or withdraw it}""",
            },
            (REQUEST,),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "reply",
            "Around a reply from staff",
            "When staff reply by email. The subject is for replies that have none of their own",
            {
                "subject": "A message from {clinic}",
                "text": """{message}

{link: See what you asked us, add something or withdraw it}""",
            },
            (Placeholder("message", "what staff wrote", Kind.BLOCK, needed_in="text"), REQUEST),
            fixed=(SHORT_CARD, FOOTER),
        ),
        Wording(
            "consultation_sent",
            "Request sent",
            "The page after a request for a consultation",
            {
                "heading": "Request sent",
                "lead": "Thank you for getting in touch. {reply time}",
                "text": """- {confirmation}
- We will contact you in the way you chose, at a time that suits you if we can.

We will ask:

- where it hurts, when it began, and what makes it better or worse
- about your health and your medicines
- what the pain stops you from doing, and what you hope for""",
            },
            CONFIRMATION,
            is_page=True,
            fixed=PAGE_FIXED,
        ),
        Wording(
            "question_sent",
            "Question sent",
            "The page after a question",
            {
                "heading": "Question sent",
                "lead": "Thank you for getting in touch. {reply time}",
                "text": """- {confirmation}
- One of our clinicians will reply by email.""",
            },
            CONFIRMATION,
            is_page=True,
            fixed=PAGE_FIXED,
        ),
        Wording(
            "report_sent",
            "Fact sheet on its way",
            "The page after a fact sheet was asked for, where we email it",
            {
                "heading": "Check your email",
                "lead": "Your fact sheet is on its way.",
                "text": "You will get an email within a few minutes, with the PDF and a link to the page. Cannot see it? "
                "Look in your spam or junk folder.",
            },
            is_page=True,
            fixed=(
                "if the patient has a warning sign: the advice for it, in place of your first sentence",
                "for the person who asked: where it goes, in place of your first sentence, and ways to change that",
                "what to do if it gets worse",
            ),
        ),
        Wording(
            "emails_stopped",
            "Emails stopped",
            "The page after “Stop these emails”",
            {
                "heading": "We have stopped these emails",
                "lead": "We will send no more fact sheets or confirmations to this email address, whoever enters it on our "
                "website.",
            },
            is_page=True,
            fixed=("what we deleted, what we keep and for how long", "how to undo it"),
        ),
        Wording(
            "reminder_stopped",
            "Reminder stopped",
            "The page after “Do not send me a reminder”",
            {
                "heading": "You will get no reminder",
                "lead": "We will not email you a reminder. If you have an appointment with us, it stays as it is.",
            },
            is_page=True,
            fixed=("how to undo it",),
        ),
        Wording(
            "times_changed",
            "New times to call",
            "The patient’s own page, after they have changed the times to call",
            {"heading": "Your new times are saved", "lead": "We will use them from now on."},
            is_page=True,
            fixed=PORTAL_FIXED,
        ),
        Wording(
            "detail_added",
            "Something added",
            "The patient’s own page, after they have added something",
            {
                "heading": "We have what you added",
                "lead": "We will read it in our opening hours. If you get worse, do not wait for us.",
            },
            is_page=True,
            fixed=PORTAL_FIXED,
        ),
        Wording(
            "request_withdrawn",
            "Request withdrawn",
            "The patient’s own page, after they have withdrawn a request or a question",
            {
                "heading": "Your {which} is withdrawn",
                "lead": "We will not contact you about it again, unless we are worried about your health. You can ask us again at "
                "any time.",
            },
            (WHICH,),
            is_page=True,
            fixed=PORTAL_FIXED[1:],
        ),
        Wording(
            "request_erased",
            "Request deleted",
            "The page after a patient has withdrawn a request and had it deleted",
            {
                "heading": "Your details are deleted",
                "lead": "We have deleted your name, your contact details and what you wrote. The link in our email no longer "
                "works.",
            },
            is_page=True,
            fixed=WHAT_IS_LEFT,
        ),
        Wording(
            "report_erased",
            "Report deleted",
            "The page after “Delete my data now”",
            {
                "heading": "Your report is deleted",
                "lead": "We have deleted your name and email address, and any answers and summary that we had. The private "
                "links in our email no longer work.",
            },
            is_page=True,
            fixed=WHAT_IS_LEFT,
        ),
        *TO_STAFF,
    )
}
