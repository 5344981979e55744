from enquiries.admin.enquiry import EnquiryAdmin
from enquiries.admin.export import ExportAdmin
from enquiries.admin.hours import AbsenceAdmin, ClinicHoursAdmin, ClosureAdmin
from enquiries.admin.message import OutgoingMessageAdmin
from enquiries.admin.replies import ReplyTemplateAdmin
from enquiries.admin.wordings import WordingAdmin
from enquiries.assessment import views
from factsheets.admin.red_flags import Preview, previews

__all__ = [
    "AbsenceAdmin",
    "ClinicHoursAdmin",
    "ClosureAdmin",
    "EnquiryAdmin",
    "ExportAdmin",
    "OutgoingMessageAdmin",
    "ReplyTemplateAdmin",
    "WordingAdmin",
]

# The first two questions are made of the red flags: whoever edits those sees them here.
previews["check-1"] = Preview("In “Check your symptoms”, question 1", views.preview(1))
previews["check-2"] = Preview("In “Check your symptoms”, question 2", views.preview(2))
