from enquiries.models.assessment import Assessment
from enquiries.models.enquiry import DAY_PARTS, MOVES, WEEKDAYS, Enquiry, Kind, Outcome, Status, slot_bit
from enquiries.models.event import EnquiryEvent, EventKind
from enquiries.models.hours import ClinicHours, Closure, Nation, OpeningHours, Weekday
from enquiries.models.message import MessageState, OutgoingMessage, Purpose
from enquiries.models.name import NameWord
from enquiries.models.worker import WorkerHeartbeat

__all__ = [
    "DAY_PARTS",
    "MOVES",
    "WEEKDAYS",
    "Assessment",
    "ClinicHours",
    "Closure",
    "Enquiry",
    "EnquiryEvent",
    "EventKind",
    "Kind",
    "MessageState",
    "NameWord",
    "Nation",
    "OpeningHours",
    "Outcome",
    "OutgoingMessage",
    "Purpose",
    "Status",
    "Weekday",
    "WorkerHeartbeat",
    "slot_bit",
]
