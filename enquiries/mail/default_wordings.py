"""The emails and confirmation pages whose words an owner may change: their defaults, and what stands in braces in each.

Nothing here offers what a stranger typed into a form: anyone can cause these emails to be sent to anyone. The safety advice, the
footer, “Stop these emails” and the deletion link are not here, because they can be neither changed nor left out.
"""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    INLINE = "inline"  # words in a sentence
    LINK = "link"  # {link: words}: the words become a link
    BLOCK = "block"  # stands in a line of its own


@dataclass(frozen=True)
class Placeholder:
    name: str
    means: str
    kind: Kind = Kind.INLINE
    needed_in: str = ""  # the part that must have it

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
    fixed: tuple[str, ...] = ()  # what the system adds, in words for staff

    @property
    def placeholders(self) -> dict[str, Placeholder]:
        return {each.name: each for each in (*self.own, *EVERYWHERE)}


EVERYWHERE = (Placeholder("clinic", "the clinic’s name"), Placeholder("phone", "the clinic’s phone number"))
LABELS = {"subject": "Subject", "heading": "Heading", "lead": "First sentence", "text": "Text"}
MAX_LENGTH = {"subject": 120, "heading": 120, "lead": 300, "text": 4000}  # characters

NO_TIME = "We do not know yet when we will reply."
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
PAGE_FIXED = (
    "if the patient has a warning sign: the advice for it, in place of your first sentence",
    "if we promise no reply, such as while we are flooded with forms: why, in place of your list",
    "the private link, where no email comes",
    "what to do if it gets worse",
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
                "text": "You will get an email within a few minutes, with the PDF and a link to the page. Cannot see it? "
                "Look in your spam or junk folder.",
            },
            is_page=True,
            fixed=(
                "if the patient has a warning sign: the advice for it",
                "where it goes, “Change the address” and “Send it again”, for the person who asked",
                "what to do if it gets worse",
            ),
        ),
    )
}
