"""Marked words, one for each field that anybody can fill in: where each may appear, and how to find them in a text."""

import base64
from urllib.parse import quote, quote_plus

# One for each field that anybody can fill in, and for each thing a browser sends by itself.
MARKS = {
    "name": "Zqname",
    "email": "zqmail@example.com",
    "corrected email": "zqsecond@example.com",
    "consultation email": "zqthird@example.com",
    "question email": "zqfourth@example.com",
    "wrong email": "zqwrong",
    "guessed email": "zqguess@example.com",
    "phone": "79460977",
    "best time": "zqdusk",
    "description": "zqwords",
    "question": "zqquestion",
    "language": "zqlanguage",
    "needs": "zqneeds",
    "their name": "zqtheir",
    "added": "zqadded",
    "new time": "zqnewtime",
    "trap": "zqtrap",
    "unknown field": "zqfield",
    "query": "zqquery",
    "search": "zqsearched",
    "browser": "zqbrowser",
    "referrer": "zqreferrer",
    "cookie": "zqcookie",
    "address": "198.51.100",
    "staff name": "zquser",
    "password": "zqpassword",
    "note": "zqnote",
    "reply": "zqreply",
    "safety note": "zqsafety",
    "call note": "zqcall",
    "reason": "zqreason",
}
SPELLINGS = {"phone": ["79460977", "7946 0977", "7946+0977"]}
# Where each word may appear. Places not named here may hold none.
MAY_STAND = {
    "the mail to the patient: To": {"email", "corrected email", "consultation email", "question email"},
    "the mail to the patient: a reply": {"reply"},  # the staff's words, for this patient
    "the database": {"reason"},  # the log of exports; the page asks that no patient is named there
    "an address": {"query", "search"},  # as the reader typed or linked it; none of our own addresses repeats it
    "the text of the personal PDF": {"name"},
}


def in_base64(word: str, shift: int) -> str:
    """How the word looks inside longer base64, `shift` bytes after a multiple of three."""
    coded = base64.b64encode(b" " * shift + word.encode()).decode()
    return coded[-(-shift * 8 // 6) : (shift + len(word)) * 8 // 6]


def expect_none(content: str, where: str) -> None:
    for mark, word in MARKS.items():
        if mark in MAY_STAND.get(where, ()):
            continue
        for spelling in SPELLINGS.get(mark, [word]):
            forms = {spelling, quote(spelling), quote_plus(spelling)}
            forms |= {in_base64(spelling, shift) for shift in range(3)}
            for form in forms:
                at = content.lower().find(form.lower()) if len(form) > 5 else -1
                assert at < 0, f"The {mark} is in {where}: …{content[max(0, at - 150) : at + 60]}…"
