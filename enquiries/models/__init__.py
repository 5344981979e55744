from enquiries.models.enquiry import MOVES, Enquiry, Kind, Status
from enquiries.models.event import EnquiryEvent, EventKind
from enquiries.models.message import MessageState, OutgoingMessage, Purpose
from enquiries.models.worker import WorkerHeartbeat

__all__ = [
    "MOVES",
    "Enquiry",
    "EnquiryEvent",
    "EventKind",
    "Kind",
    "MessageState",
    "OutgoingMessage",
    "Purpose",
    "Status",
    "WorkerHeartbeat",
]
