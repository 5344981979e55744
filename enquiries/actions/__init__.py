"""What happens to an enquiry. Every verb is one transaction, names its actor, and writes the timeline with the fact."""

from enquiries.actions.contact import CallResult, Channel, act_on_safety, book, log_call, reply, view
from enquiries.actions.corrections import (
    TooOften,
    TooSoon,
    again_from,
    correct_address,
    corrections_left,
    further_requests,
    send_report_again,
)
from enquiries.actions.erasure import erase, purge
from enquiries.actions.intake import SAME_FORM_WITHIN, Consented, accept, index_missing
from enquiries.actions.mail import SUMMARY_DAYS, Erased, enqueue, message_has_failed, message_was_sent, send_again
from enquiries.actions.moves import MoveRefused, StaleEnquiry, triage, what_changed
from enquiries.actions.reminders import NobodyToRemind, remind_of_reviews

__all__ = [
    "SAME_FORM_WITHIN",
    "SUMMARY_DAYS",
    "CallResult",
    "Channel",
    "Consented",
    "Erased",
    "MoveRefused",
    "NobodyToRemind",
    "StaleEnquiry",
    "TooOften",
    "TooSoon",
    "accept",
    "act_on_safety",
    "again_from",
    "book",
    "correct_address",
    "corrections_left",
    "enqueue",
    "erase",
    "further_requests",
    "index_missing",
    "log_call",
    "message_has_failed",
    "message_was_sent",
    "purge",
    "remind_of_reviews",
    "reply",
    "send_again",
    "send_report_again",
    "triage",
    "view",
    "what_changed",
]
