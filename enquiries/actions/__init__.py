"""What happens to an enquiry. Every verb is one transaction, names its actor, and writes the timeline with the fact."""

from enquiries.actions.agreement import they_agree_now
from enquiries.actions.alerting import tell_clinician, told_of_this_flag
from enquiries.actions.by_patient import (
    MAX_ADDED,
    Wish,
    add_detail,
    added,
    change_times,
    open_to_patient,
    withdraw,
    withdraw_and_erase,
)
from enquiries.actions.contact import (
    Advice,
    CallResult,
    Channel,
    act_on_safety,
    book,
    log_call,
    reply,
    send_new_link,
    view,
)
from enquiries.actions.corrections import (
    TooOften,
    TooSoon,
    again_from,
    correct_address,
    corrections_left,
    further_requests,
    send_report_again,
)
from enquiries.actions.digests import is_wanted, what_waits, write_digest
from enquiries.actions.duplicates import link, main_of, unlink
from enquiries.actions.erasure import erase, purge
from enquiries.actions.exports import MIN_REASON_LENGTH, NotAllowed, export
from enquiries.actions.folds import FoldOutcome, settle_fold, taken, unsettled
from enquiries.actions.intake import SAME_FORM_WITHIN, Consented, SealUsed, accept, index_missing
from enquiries.actions.mail import (
    SUMMARY_DAYS,
    Erased,
    enqueue,
    is_mailed,
    message_has_failed,
    message_was_sent,
    send_again,
)
from enquiries.actions.one_person import Reason, erase_person, note_export
from enquiries.actions.reading import show_words, words_are_open
from enquiries.actions.release import release_held
from enquiries.actions.reminders import NobodyToRemind, remind_of_reviews
from enquiries.actions.stopping import STOPPED_MONTHS, allow_mails, stop_mails
from enquiries.actions.transitions import MAX_WAIT, MoveRefused, StaleEnquiry, triage, what_changed, why_not

__all__ = [
    "MAX_ADDED",
    "MAX_WAIT",
    "MIN_REASON_LENGTH",
    "SAME_FORM_WITHIN",
    "STOPPED_MONTHS",
    "SUMMARY_DAYS",
    "Advice",
    "CallResult",
    "Channel",
    "Consented",
    "Erased",
    "FoldOutcome",
    "MoveRefused",
    "NobodyToRemind",
    "NotAllowed",
    "Reason",
    "SealUsed",
    "StaleEnquiry",
    "TooOften",
    "TooSoon",
    "Wish",
    "accept",
    "act_on_safety",
    "add_detail",
    "added",
    "again_from",
    "allow_mails",
    "book",
    "change_times",
    "correct_address",
    "corrections_left",
    "enqueue",
    "erase",
    "erase_person",
    "export",
    "further_requests",
    "index_missing",
    "is_mailed",
    "is_wanted",
    "link",
    "log_call",
    "main_of",
    "message_has_failed",
    "message_was_sent",
    "note_export",
    "open_to_patient",
    "purge",
    "release_held",
    "remind_of_reviews",
    "reply",
    "send_again",
    "send_new_link",
    "send_report_again",
    "settle_fold",
    "show_words",
    "stop_mails",
    "taken",
    "tell_clinician",
    "they_agree_now",
    "told_of_this_flag",
    "triage",
    "unlink",
    "unsettled",
    "view",
    "what_changed",
    "what_waits",
    "why_not",
    "withdraw",
    "withdraw_and_erase",
    "words_are_open",
    "write_digest",
]
