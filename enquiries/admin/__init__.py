from enquiries.admin.enquiry import EnquiryAdmin
from enquiries.admin.export import ExportAdmin
from enquiries.admin.hours import ClinicHoursAdmin, ClosureAdmin
from enquiries.admin.message import OutgoingMessageAdmin

__all__ = ["ClinicHoursAdmin", "ClosureAdmin", "EnquiryAdmin", "ExportAdmin", "OutgoingMessageAdmin"]
