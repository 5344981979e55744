"""Clinic hours, and when a person will hear from the clinic. One value: shown before, put in the mail, used by the inbox.

For one enquiry: `reply_by(now)`, `resume(...)`, `promise(now)`; each asks the database twice. For a list: `load()` once, and
the methods of what it gives. Words: `in_words` for patients, `due_in_words` for staff.
"""

from enquiries.clock.formatting import (
    at_words,
    closures_in_words,
    due_in_words,
    hours_in_words,
    in_words,
    opening_in_words,
)
from enquiries.clock.hours import LONDON, Closed, Hours, Opening
from enquiries.clock.promise import ReplyClock, for_readers, load, promise, promise_in_words, reply_by, resume

__all__ = [
    "LONDON",
    "Closed",
    "Hours",
    "Opening",
    "ReplyClock",
    "at_words",
    "closures_in_words",
    "due_in_words",
    "for_readers",
    "hours_in_words",
    "in_words",
    "load",
    "opening_in_words",
    "promise",
    "promise_in_words",
    "reply_by",
    "resume",
]
