"""Clinic hours, and when a person will hear from the clinic. One value: shown before, put in the mail, used by the inbox.

For one enquiry: `reply_by(now)`, `resume(...)`, `promise(now)`; each asks the database twice. For a list: `load()` once, and
the methods of what it gives. Words: `in_words` for patients, `due_in_words` for staff.
"""

from enquiries.clock.hours import LONDON, Closed, Hours, Opening
from enquiries.clock.promise import ReplyClock, load, promise, reply_by, resume
from enquiries.clock.words import at_words, due_in_words, hours_in_words, in_words

__all__ = [
    "LONDON",
    "Closed",
    "Hours",
    "Opening",
    "ReplyClock",
    "at_words",
    "due_in_words",
    "hours_in_words",
    "in_words",
    "load",
    "promise",
    "reply_by",
    "resume",
]
