from enquiries.models.appointment import Appointment, AppointmentState, CalendarFeed, Channel
from enquiries.models.assessment import Assessment
from enquiries.models.enquiry import (
    DAY_PARTS,
    MOVES,
    STAFF_OUTCOMES,
    WEEKDAYS,
    Agreement,
    Enquiry,
    EnquiryKind,
    IntakeChannel,
    Outcome,
    PrivateLink,
    SearchToken,
    Status,
    slot_bit,
    slots_in_words,
)
from enquiries.models.event import EnquiryEvent, EventKind, Export, StaffDraft
from enquiries.models.hours import Absence, ClinicHours, Closure, Nation, OpeningHours, Weekday
from enquiries.models.message import MessageState, OutgoingMessage, Purpose
from enquiries.models.reply_template import ReplyTemplate, ReplyTemplateEdition
from enquiries.models.upkeep import FloodMark, KeyCheck, LastPurge, StoppedAddress, WorkerHeartbeat
from enquiries.models.wording import WordingEdition

__all__ = [
    "DAY_PARTS",
    "MOVES",
    "STAFF_OUTCOMES",
    "WEEKDAYS",
    "Absence",
    "Agreement",
    "Appointment",
    "AppointmentState",
    "Assessment",
    "CalendarFeed",
    "Channel",
    "ClinicHours",
    "Closure",
    "Enquiry",
    "EnquiryEvent",
    "EnquiryKind",
    "EventKind",
    "Export",
    "FloodMark",
    "IntakeChannel",
    "KeyCheck",
    "LastPurge",
    "MessageState",
    "Nation",
    "OpeningHours",
    "Outcome",
    "OutgoingMessage",
    "PrivateLink",
    "Purpose",
    "ReplyTemplate",
    "ReplyTemplateEdition",
    "SearchToken",
    "StaffDraft",
    "Status",
    "StoppedAddress",
    "Weekday",
    "WordingEdition",
    "WorkerHeartbeat",
    "slot_bit",
    "slots_in_words",
]
