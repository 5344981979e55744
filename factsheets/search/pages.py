"""Other pages that search can find besides the sheets: help, booking, asking, privacy and the like."""

from contextlib import suppress

from django.conf import settings
from django.urls import Resolver404, resolve

from factsheets import safety
from factsheets.search.indexing import PAGE, Entry, Passage, join

# Address, title, other words that people use for it, and what the page is for. They are not taken from templates, whose form
# fields, navigation and notices would only be noise. tests/factsheets/search/test_search_index.py opens every address and place.
PAGES = [
    (
        "/fact-sheets/",
        "Fact sheets",
        ["all sheets", "leaflets", "list of information", "A to Z"],
        "All our fact sheets about back pain, by question.",
    ),
    (
        "/treatments/",
        "Treatments",
        ["all treatments", "list of treatments", "what works", "which treatments help", "compare treatments"],
        "Every treatment with its verdict, how sure we are, and what NICE says. Links narrow the list.",
    ),
    (
        "/consultation/",
        "Book a consultation",
        [
            "appointment",
            "make a booking",
            "see somebody",
            "phone or video call",
            "therapist",
            "clinic",
            "price",
            "cost",
        ],
        "Ask for a consultation by phone, video call or email. Tell us how to reach you, and about your back pain.",
    ),
    (
        "/question/",
        "Ask a question",
        ["contact", "email us", "message", "write to us", "telephone number"],
        "Send us a question. We reply by email.",
    ),
    (
        "/report/",
        "Email me a fact sheet",
        ["send", "PDF", "download", "report", "print"],
        "We send you a fact sheet as a PDF to your email address.",
    ),
    (
        "/check/",
        "Check your symptoms",
        ["symptom checker", "self-assessment", "quiz", "questionnaire"],
        "A few questions about your back. Nothing is stored. It is not a diagnosis.",
    ),
    (
        "/glossary/",
        "Glossary",
        ["dictionary", "hard words", "jargon", "meaning"],
        "Words you may read or hear about back pain, in plain English.",
    ),
    (
        "/complaints/",
        "Complaints",
        ["complain", "unhappy", "bad experience", "feedback"],
        "How to complain about our care or this website, what we do then, and who else you can ask.",
    ),
    (
        "/privacy/",
        "Privacy",
        ["cookies", "personal data", "GDPR", "data protection", "delete my details", "confidential"],
        "What we keep when you write to us, why, who sees it and how long. Reading our pages sets no cookie.",
    ),
    (
        "/accessibility/",
        "Accessibility",
        ["large print", "screen reader", "disabled", "easy read"],
        "How well this site works for everybody, what we know is wrong with it, and how to tell us.",
    ),
    (
        "/about/",
        "About and how we review",
        [
            "about us",
            "who works here",
            "prices",
            "who wrote this",
            "evidence grades",
            "how sure",
            "interest",
            "NHS or private",
        ],
        "Who works here, where, when and what it costs, and how we write and review our fact sheets. We are not an NHS service.",
    ),
]
HELP_WORDS = [
    "emergency", "ambulance", "A&E", "accident and emergency", "hospital", "999", "111", "NHS 111", "urgent", "red flags",
    "warning signs", "danger signs", "when to worry", "when to see a doctor", "GP",
]  # fmt: skip


def entries() -> list[Entry]:
    """Every page that this site has."""
    found = []
    # Without advice every page fails, this one first. But the fixtures may be loaded before it.
    with suppress(safety.SafetyAdviceMissing):
        found.append(_help())
    for address, title, names, text in PAGES:
        if _is_there(address):
            found.append(_entry(address, title, names, [Passage(text=text, strong=text)]))
    return found


def _help() -> Entry:
    lead = "When back pain needs 999 or A&E, when to call 111 or your GP today, and when to see a GP."
    passages = [Passage(text=lead, strong=lead)]
    for tier in safety.tiers():
        texts = [f"{item['text']} {item['action']}" for item in tier["items"]]
        passages.append(Passage(f"care-{tier['tier']}", tier["heading"].rstrip(":"), join([*texts, tier["after"]])))
    passages += [
        Passage(
            "care-crisis",
            "If you cannot cope or may not be safe",
            join([line["what"] for line in safety.CRISIS]),
            strong="crisis line mental health Samaritans Lifeline",
        ),
        Passage(
            "hurt",
            "If someone has hurt you",
            join([f"{line['where']}: {line['what']}, {line['shown']}" for line in safety.HURT]),
            strong="domestic abuse violence helpline",
        ),
        Passage(
            "hard-to-phone",
            "If you cannot hear or speak on the phone",
            "999 and 111 by text relay, 999 by text message, 111 online, and 999 in British Sign Language (BSL).",
            strong="deaf text relay sign language emergencysms",
            own_heading="If you cannot hear or speak on the phone",
        ),
    ]
    return _entry("/get-help-now/", "Get help now", HELP_WORDS, passages)


def _entry(address: str, title: str, names: list[str], passages: list[Passage]) -> Entry:
    places = {passage.anchor: number for number, passage in enumerate(passages)}
    return Entry(f"page:{address}", PAGE, title, address, [title, *names], passages, places)


def _is_there(address: str) -> bool:
    try:
        resolve(address, settings.ROOT_URLCONF)
    except Resolver404:
        return False
    return True
