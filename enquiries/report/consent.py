"""What a patient agrees to when they let us keep their answers. A version, once used, is never changed: a new one is added.

Health data needs explicit consent: UK GDPR, Article 9(2)(a), and the ICO's guidance that it names what is kept, what for and
how it is withdrawn.
"""

from django.conf import settings

from enquiries.actions.intake import Consented
from enquiries.actions.mail import SUMMARY_DAYS
from enquiries.assessment.flags import flags
from enquiries.assessment.kinds import Answers
from enquiries.assessment.result import played_back, shown

WORDINGS = {
    "2026-11": (
        "I agree that the clinic keeps my answers and my result, encrypted, to make my private summary. "
        "Clinic staff are not shown them. "
        f"They are deleted {SUMMARY_DAYS} days after the email is sent, or when I press “Delete my data now” in the summary."
    ),
    # Since an answer that cannot wait alerts the clinic: staff learn that there is one.
    "2026-11-help": (
        "I agree that the clinic keeps my answers and my result, encrypted, to make my private summary. "
        "Clinic staff are not shown them. But if they show that I may need help soon, staff are told so and may email me. "
        f"They are deleted {SUMMARY_DAYS} days after the email is sent, or when I press “Delete my data now” in the summary."
    ),
    # With a request for a consultation, where staff do see them.
    "2026-11-consultation": (
        "I agree that the clinic keeps my answers and my result, encrypted, with my request for a consultation. "
        "Clinic staff who deal with my request see them. "
        f"They are deleted {SUMMARY_DAYS} days after I send the request, or sooner if I ask the clinic to."
    ),
    # Read to somebody who asks by telephone or at the clinic, before anything is written down.
    "2026-11-spoken": (
        "I will write down what you tell me, so that the right person here can answer you. "
        "We keep it encrypted, and only staff who deal with your request see it. "
        f"We delete your details {settings.ENQUIRY_RETENTION_MONTHS} months after we close your request at the latest, "
        "or sooner if you ask. "
        "Is that all right?"
    ),
}
VERSION = "2026-11-help"
CONSULTATION = "2026-11-consultation"
SPOKEN = "2026-11-spoken"


def given(answers: Answers, version: str) -> Consented:
    """A finished self-assessment as its result page shows it now, under the wording that the person agreed to."""
    known = flags()
    return Consented(result=shown(answers, known), answers=played_back(answers, known), consent_version=version)


def wording(version: str = VERSION) -> str:
    return WORDINGS[version]
