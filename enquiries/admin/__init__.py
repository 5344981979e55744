from enquiries.admin.enquiry import EnquiryAdmin
from enquiries.admin.message import OutgoingMessageAdmin

__all__ = ["EnquiryAdmin", "OutgoingMessageAdmin"]
