"""What the inbox and an enquiry's page show of an enquiry, column by column."""

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe
from django.utils.text import Truncator, capfirst
from django.utils.timesince import timesince

from backcare.core import clinic, phones
from backcare.core.encryption import CannotDecrypt, readable
from enquiries import abuse, clock
from enquiries.admin.enquiry_page import due, how_it_ended, times_to_call
from enquiries.assessment import handover
from enquiries.inbox import calls
from enquiries.models import Assessment, Enquiry, EnquiryKind, IntakeChannel, Status
from enquiries.privacy import retention
from factsheets import team


def _was_flagged(enquiry) -> str:
    """The list always shows that it was flagged: what was done, by whom, when, and how it ended."""
    said = [
        f"Was flagged. {each.summary}: {each.actor}, {clock.at_words(each.created_at, timezone.now())}"
        for each in enquiry.settled
    ]
    said = said[-1:] or ["Was flagged. No action recorded"]
    return ". ".join([*said, f"Outcome: {enquiry.get_outcome_display()}"] if enquiry.outcome else said)


class Columns:
    """For `EnquiryAdmin`, which keeps the clock for all rows of a page in `self.clock`."""

    @admin.display(description="status", ordering="status")
    def flag(self, enquiry):
        badges = [format_html('<span class="status {}">{}</span>', enquiry.status, enquiry.get_status_display())]
        # If it was flagged, the line below gives the outcome.
        if (said := how_it_ended(enquiry)) and not (enquiry.outcome and (enquiry.signs or enquiry.settled)):
            badges.append(format_html('<span class="quiet">{}</span>', said))
        if getattr(enquiry, "is_fresh", False):
            badges.append(mark_safe('<span class="fresh">new since you looked</span>'))
        if enquiry.mail_failed:
            badges.insert(0, mark_safe('<span class="status alarm">mail failed</span>'))
        if enquiry.is_flagged and enquiry.live:
            again = calls.flagged_in_words(enquiry.next_call_at, timezone.now()) if enquiry.phone_key else "Act now."
            badges.insert(0, format_html('<span class="status alarm">possible emergency</span> <b>{}</b>', again))
            if enquiry.folded and (more := Enquiry.objects.folded_with(enquiry).count() - 1):
                list_of_all = f"{reverse('admin:enquiries_enquiry_changelist')}?flood={enquiry.flood_id}"
                badges.append(format_html('<a href="{}">{} more like this</a>', list_of_all, more))
        elif enquiry.signs or enquiry.settled:
            badges.append(format_html('<span class="was-flagged">{}</span>', _was_flagged(enquiry)))
        return mark_safe(" ".join(badges))  # noqa: S308 - each was escaped by format_html, or is our own

    @admin.display(description="release")
    def release(self, enquiry):
        address = reverse("admin:enquiries_enquiry_not_spam", args=[enquiry.pk])
        return format_html(
            '<button type="submit" class="plain" formaction="{}" formnovalidate>{}'
            '<span class="visually-hidden">: {}</span></button>',
            address,
            "Release" if enquiry.status == Status.HELD else "Not spam",
            enquiry.reference,
        )

    @admin.display(description="name")
    def patient(self, enquiry):
        return readable(enquiry, "name")

    @admin.display(description="asked for")
    def what(self, enquiry):
        what = enquiry.get_kind_display().capitalize()
        if enquiry.kind == EnquiryKind.REPORT:
            what = f"Fact sheet: {enquiry.sheet.title}"
        return what if enquiry.channel == IntakeChannel.WEBSITE else f"{what}, {enquiry.get_channel_display()}"

    @admin.display(description="asked for")
    def asked_for(self, enquiry):
        """For the list, which shows their communication needs nowhere else."""
        what = self.what(enquiry)
        if not (needs := readable(enquiry, "needs", nothing="")):
            return what
        return format_html('{} <b class="need">{}</b>', what, Truncator(" · ".join(needs.split("\n"))).chars(80))

    @admin.display(description="best times")
    def times(self, enquiry):
        return times_to_call(enquiry) or ("any time" if enquiry.by_phone else "–")

    @admin.display(description="best times")
    def best_times(self, enquiry):
        """In the list, as much as fits in a row."""
        return Truncator(self.times(enquiry)).chars(90)

    @admin.display(description="reply due", ordering="reply_by")
    def due(self, enquiry):
        words, late = due(enquiry, self.clock)
        return format_html('<span class="due{}">{}</span>', " late" if late else "", words) if words else "–"

    @admin.display(description="received", ordering="created_at")
    def received(self, enquiry):
        age = timesince(enquiry.created_at, depth=1)
        return "just now" if age.startswith("0") else f"{age} ago"

    @admin.display(description="assigned to", ordering="owner")
    def who(self, enquiry):
        return team.account_name(enquiry.owner) if enquiry.owner else "–"

    @admin.display(description="email address")
    def email_address(self, enquiry):
        return readable(enquiry, "email")

    @admin.display(description="phone number")
    def phone_number(self, enquiry):
        return phones.in_words(readable(enquiry, "phone"))

    @admin.display(description="contact by")
    def contact(self, enquiry):
        return ", ".join(enquiry.contact_methods)

    @admin.display(description="self-assessment")
    def answers_given(self, enquiry):
        """What they agreed to give with their request for a consultation. It is deleted after a week, as they were told."""
        assessment = Assessment.objects.filter(enquiry=enquiry).first()
        if assessment is None:
            return "None, or already deleted"
        try:
            given = {"result": assessment.result, "answers": assessment.answers}
        except CannotDecrypt as error:
            return f"This cannot be opened: {error}."
        given |= {"until": assessment.expires_at, "consent": handover.CONSENT_WORDINGS[assessment.consent_version]}
        return render_to_string("admin/enquiries/enquiry/answers.html", given)

    @admin.display(description="private summary")
    def private_summary(self, enquiry):
        """That there is one, and what they agreed to. Never what it says: they were told that staff are not shown it."""
        assessment = Assessment.objects.filter(enquiry=enquiry).defer("told").first()
        if assessment is None:
            return "None, or already deleted"
        ends = clock.at_words(assessment.expires_at, timezone.now())
        return format_html(
            "Yes, by a link in the email, until {}. Only the patient can open it.<br>They agreed to version {}: “{}”",
            ends,
            assessment.consent_version,
            handover.CONSENT_WORDINGS[assessment.consent_version],
        )

    @admin.display(description="details erased")
    def details_erased(self, enquiry):
        return clock.at_words(enquiry.erased_at, timezone.now())

    @admin.display(description="Details deleted")
    def kept_until(self, enquiry):
        day = retention.ends_on(enquiry)
        if day:
            return f"{day:%-d %B %Y}"
        if enquiry.kind == EnquiryKind.REPORT:
            return f"{clinic.details()['report_retention_days']} days after the email is sent"
        return f"{clinic.details()['enquiry_retention_months']} months after closing"

    @admin.display(description="why it was held back")
    def why_quarantined(self, enquiry):
        return enquiry.quarantine_reason

    @admin.display(description="emails stopped")
    def no_mail(self, enquiry):
        entry = self.stopped(enquiry)
        days = [date_format(timezone.localtime(at), "j F Y") for at in (entry.created_at, entry.until)]
        return format_html(
            "Someone at this address pressed “Stop these emails” on {}. No fact sheets or acknowledgements will be sent to it "
            "until {}. Your own replies will still be sent.",
            *days,
        )

    @admin.display(description="if they want emails again")
    def mail_again(self, enquiry):
        return render_to_string("admin/enquiries/_allow_mail.html", {"enquiry": enquiry})

    def told_us(self, request, enquiry) -> list[tuple]:
        """Their answers, each with its term. Empty ones are left out."""
        told = ["what", "patient", "phone_number", "email_address"]
        if enquiry.kind == EnquiryKind.CONSULTATION:
            told += ["contact", "times"]
            if request.user.has_perm("enquiries.read_answers_enquiry"):
                told += ["answers_given"]
        told += ["received"]
        if enquiry.kind == EnquiryKind.REPORT:
            told += ["private_summary"]
        told += ["details_erased" if enquiry.erased_at else "kept_until"]
        if enquiry.quarantine_reason:
            told += ["why_quarantined"]
        if self.stopped(enquiry):
            told += ["no_mail"]
            if request.user.has_perm("enquiries.delete_stoppedaddress"):
                told += ["mail_again"]
        rows = ((getattr(self, name).short_description, getattr(self, name)(enquiry)) for name in told)
        return [(capfirst(label), conditional_escape(said)) for label, said in rows if said and said != "–"]

    def stopped(self, enquiry):
        if enquiry.erased_at:
            return None
        try:
            return abuse.stopped(enquiry.email)
        except CannotDecrypt:
            return None
