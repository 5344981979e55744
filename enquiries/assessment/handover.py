"""What staff need from a self-assessment that came with an enquiry: how it is flagged, and a summary in four lines.

Both read the result as it is kept (`enquiries.models.Assessment.result`, or `Consented.result` before that), of any version of
the questions: a part that an older version did not have is left out. Neither judges the answers again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from backcare.core import clinic
from enquiries.actions.intake import Consented
from enquiries.actions.outbox import SUMMARY_DAYS
from enquiries.assessment.flags import flags
from enquiries.assessment.kinds import Answers
from enquiries.assessment.result import played_back, shown
from enquiries.request_forms.own_words import CRISIS

OUTCOMES = {
    "emergency": "Emergency: 999 or A&E now",
    "urgent": "Urgent: GP or 111 today",
    "see_gp": "See a GP",
    "self_care": "Self-care for now",
}
LOW_MOOD = "very low or worried in the last two weeks (“a lot”)"


@dataclass(frozen=True)
class Line:
    label: str
    text: str


def safety_codes(result: dict) -> list[str]:
    """The codes by which the enquiry is flagged, the gravest first: signs that were ticked, and low mood "a lot".

    Empty for an outcome that can wait: a reason to see a GP is none to call somebody today.
    """
    low = [CRISIS] if result.get("crisis") else []
    return low + [sign["code"] for sign in result.get("signs") or []]


def summary(result: dict, *, given_on: str = "") -> list[Line]:
    """The clinician's summary: outcome, signs, reasons, and what to know before treating; a line with nothing to say is left out.

    `given_on` is a day in words, for results of version 1, which do not name the day of the check.
    """
    lines = [
        Line("Outcome", ". ".join(_outcome(result, given_on))),
        Line("Signs ticked", "; ".join(_without_stop(sign.get("text", "")) for sign in result.get("signs") or [])),
        Line("Reasons", " ".join(_reasons(result))),
        Line("Take care", "; ".join(_to_know(result))),
    ]
    return [line for line in lines if line.text]


def _outcome(result: dict, given_on: str) -> Iterator[str]:
    outcome = result.get("outcome", "")
    yield OUTCOMES.get(outcome) or result.get("heading") or outcome or "Not known"
    if day := result.get("checked_on") or given_on:
        yield f"Checked on {day}"
    if version := result.get("version"):
        yield f"Questions: {version[0].lower()}{version[1:]}"


def _reasons(result: dict) -> Iterator[str]:
    """Leaves out the rules of an urgent outcome, because its reasons are its signs."""
    if result.get("outcome") == "urgent":
        return
    for reason in result.get("reasons") or []:
        yield f"{reason.get('told', '')} ({reason.get('rule', '')})".strip()


def _to_know(result: dict) -> Iterator[str]:
    if result.get("crisis"):
        yield LOW_MOOD
    for note in result.get("notes") or []:
        if note.get("name") == "tell":
            yield from note.get("things") or []


def _without_stop(text: str) -> str:
    return text.rstrip(".")


# What a patient agrees to when they let us keep their answers. A version, once used, is never changed: a new one is added.
#
# Health data needs explicit consent: UK GDPR, Article 9(2)(a), and the ICO's guidance that it names what is kept, what for and
# how it is withdrawn.

CONSENT_WORDINGS = {
    "2026-11": (
        "I agree that the clinic keeps my answers and my result, encrypted, to make my private summary. "
        "Clinic staff are not shown them. "
        f"They are deleted {SUMMARY_DAYS} days after the email is sent, or when I press “Delete my data now” in the summary."
    ),
    # Added when an answer that cannot wait began to alert the clinic, because staff then learn that there is one.
    "2026-11-help": (
        "I agree that the clinic keeps my answers and my result, encrypted, to make my private summary. "
        "Clinic staff are not shown them. But if they show that I may need help soon, staff are told so and may email me. "
        f"They are deleted {SUMMARY_DAYS} days after the email is sent, or when I press “Delete my data now” in the summary."
    ),
    # For a request for a consultation, where staff do see them.
    "2026-11-consultation": (
        "I agree that the clinic keeps my answers and my result, encrypted, with my request for a consultation. "
        "Clinic staff who deal with my request see them. "
        f"They are deleted {SUMMARY_DAYS} days after I send the request, or sooner if I ask the clinic to."
    ),
    # Read aloud to anyone who asks by telephone or at the clinic, before anything is written down.
    "2026-11-spoken": (
        "I will write down what you tell me, so that the right person here can answer you. "
        "We keep it encrypted, and only staff who deal with your request see it. "
        "We delete your details {enquiry_months} months after we close your request at the latest, "
        "or sooner if you ask. "
        "Is that all right?"
    ),
}
REPORT_CONSENT = "2026-11-help"
CONSULTATION_CONSENT = "2026-11-consultation"
SPOKEN_CONSENT = "2026-11-spoken"


def consented(answers: Answers, version: str) -> Consented:
    """A finished self-assessment as its result page shows it now, under the wording that the person agreed to."""
    known = flags()
    return Consented(result=shown(answers, known), answers=played_back(answers, known), consent_version=version)


def consent_wording(version: str = REPORT_CONSENT) -> str:
    return CONSENT_WORDINGS[version].format(enquiry_months=clinic.details()["enquiry_retention_months"])
