from enquiries.models.absence import Absence
from enquiries.models.appointment import Appointment, AppointmentState, Channel
from enquiries.models.assessment import Assessment
from enquiries.models.calendar_feed import CalendarFeed
from enquiries.models.enquiry import (
    DAY_PARTS,
    MOVES,
    STAFF_OUTCOMES,
    WEEKDAYS,
    Agreement,
    Enquiry,
    EnquiryKind,
    Outcome,
    Status,
    slot_bit,
    slots_in_words,
)
from enquiries.models.event import EnquiryEvent, EventKind
from enquiries.models.export import Export
from enquiries.models.flood import FloodMark
from enquiries.models.hours import ClinicHours, Closure, Nation, OpeningHours, Weekday
from enquiries.models.keys import KeyCheck
from enquiries.models.message import MessageState, OutgoingMessage, Purpose
from enquiries.models.name import NameWord
from enquiries.models.private_link import PrivateLink
from enquiries.models.purged import LastPurge
from enquiries.models.stopped import StoppedAddress
from enquiries.models.worker import WorkerHeartbeat

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
    "KeyCheck",
    "LastPurge",
    "MessageState",
    "NameWord",
    "Nation",
    "OpeningHours",
    "Outcome",
    "OutgoingMessage",
    "PrivateLink",
    "Purpose",
    "Status",
    "StoppedAddress",
    "Weekday",
    "WorkerHeartbeat",
    "slot_bit",
    "slots_in_words",
]
