"""The owner's page that shows whether email arrives: a message with a code, which its recipient types in here."""

import logging
import secrets
import time
from datetime import timedelta
from email.utils import parseaddr

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html

from backcare.core import limits
from backcare.core.forms import EmailField, TextField
from backcare.core.models import ClinicSettings, SetUpStep
from backcare.staff import first_steps, sender_dns
from backcare.staff.account_pages import owners_only
from enquiries.mail import emails
from enquiries.mail.worker import reason_in_words
from enquiries.models import OutgoingMessage
from enquiries.templatetags.moments import lately

logger = logging.getLogger(__name__)

SENT = "test email"  # in the session
CODE_FOR = 60 * 60  # seconds
MAX_PER_HOUR = 10  # messages
PATIENCE = 10  # seconds for each step of the conversation with the mail server
NO_ANSWER = "The mail server did not answer. Ask the person who set EMAIL_URL to check the name and port in it."


class SendForm(forms.Form):
    use_required_attribute = False
    to = EmailField(label="Send a test message to")


class CodeForm(forms.Form):
    use_required_attribute = False
    code = TextField(
        label="Code in the message", longest=20, error_messages={"required": "Enter the code from the message."}
    )


class RecordsForm(forms.Form):
    use_required_attribute = False
    selector = TextField(
        label="DKIM selector (optional)",
        longest=254,
        required=False,
        help_text="Ask the person who runs your email for it. It is a short word, such as “google” or “selector1”.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["selector"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}

    def clean_selector(self) -> str:
        """Also taken out of the whole name that the record has, as mail providers show it."""
        selector = self.cleaned_data["selector"].lower().partition("._domainkey")[0]
        if selector and not sender_dns.SELECTOR.fullmatch(selector):
            raise forms.ValidationError("Enter the selector only, such as “google” or “selector1”.")
        return selector


@owners_only
def test_email(request):
    sending, coding = SendForm(initial={"to": request.user.email}, label_suffix=""), CodeForm(label_suffix="")
    looking, records = RecordsForm(), []
    if request.method == "POST" and "dns" in request.POST:
        looking = RecordsForm(request.POST)
        domain = parseaddr(emails.sender_address())[1].rpartition("@")[2]
        if not looking.is_valid():
            pass  # the page says why
        elif not domain:
            messages.error(request, "Set the clinic’s public email address first.")
        elif limits.hit("sender records", str(request.user.pk), most=MAX_PER_HOUR, per=timedelta(hours=1)):
            records = sender_dns.look(domain, looking.cleaned_data["selector"])
        else:
            messages.error(request, "You have asked too many times. Wait an hour.")
    elif request.method == "POST" and "code" in request.POST:
        coding = CodeForm(request.POST, label_suffix="")
        if coding.is_valid() and _is_right(request, coding):
            was_set_up = not first_steps.stages("")
            SetUpStep.done(SetUpStep.MAIL, by=request.user, detail=first_steps.mail_route())
            _record(request.user, "it arrived.")
            request.session.pop(SENT, None)
            messages.success(request, _arrived(was_set_up))
            return redirect("admin:clinic_email")
    elif request.method == "POST":
        sending = SendForm(request.POST, label_suffix="")
        if sending.is_valid() and _was_sent(request, sending):
            messages.success(request, f"Sent to {sending.cleaned_data['to']}. Enter the code when it arrives.")
            return redirect("admin:clinic_email")
    tested = SetUpStep.objects.filter(name=SetUpStep.MAIL).first()
    context = {
        **admin.site.each_context(request),
        "title": "Test email",
        "sending": sending,
        "coding": coding,
        "waiting": request.session.get(SENT),
        "sender": emails.sender_address(),
        "server": settings.EMAIL_HOST if settings.EMAIL_URL else "",
        "folder": "" if settings.EMAIL_URL else settings.MAIL_DIR,
        "looking": looking,
        "records": records,
        "tested": lately(tested.at) if tested and tested.detail == first_steps.mail_route() else "",
    }
    return TemplateResponse(request, "admin/clinic/email.html", context)


def _arrived(was_set_up: bool) -> str:
    """Leads to the next step if email was the last thing to set up, because the page no longer does."""
    said = "Email arrives. Recorded."
    if was_set_up or first_steps.stages(""):
        return said
    return format_html('{} All four steps are done. <a href="{}">Today</a>', said, reverse("admin:index"))


def _was_sent(request, form: SendForm) -> bool:
    """Sends it at once, past the outbox, to show what the server says."""
    if not limits.hit("test email", str(request.user.pk), most=MAX_PER_HOUR, per=timedelta(hours=1)):
        form.add_error("to", "You have sent too many test messages. Wait an hour.")
        return False
    code = f"{secrets.randbelow(1_000_000):06}"
    try:
        emails.letter(
            OutgoingMessage(),
            get_connection(timeout=PATIENCE),
            "test_message",
            {"code": f"{code[:3]} {code[3:]}"},
            to=form.cleaned_data["to"],
        ).send()
    except ImproperlyConfigured as error:
        _record(request.user, f"not sent. {error}")
        form.add_error("to", str(error))
        return False
    except (OSError, ValueError) as error:  # smtplib's own errors are OSError
        kind = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
        logger.warning("A test message was not sent: %s", kind)
        _record(request.user, f"not sent. {reason_in_words(kind)}")
        form.add_error("to", f"The message was not sent. {reason_in_words(kind, otherwise=NO_ANSWER)} ({kind})")
        return False
    _record(request.user, "a message was sent.")
    request.session[SENT] = {"to": form.cleaned_data["to"], "code": code, "at": int(time.time()), "tries": 0}
    return True


def _record(by, how: str) -> None:
    """For “Who did what”. To whom the message went is not kept."""
    LogEntry.objects.log_actions(by.pk, [ClinicSettings.stored()], CHANGE, f"Email tested: {how}", single_object=True)


def _is_right(request, form: CodeForm) -> bool:
    sent = request.session.get(SENT)
    if not sent or time.time() - sent["at"] > CODE_FOR or sent["tries"] >= MAX_PER_HOUR:
        request.session.pop(SENT, None)
        form.add_error("code", "This code has expired. Send another test message.")
        return False
    request.session[SENT] = sent | {"tries": sent["tries"] + 1}
    if not constant_time_compare("".join(form.cleaned_data["code"].split()), sent["code"]):
        form.add_error("code", "That is not the code of the newest test message.")
        return False
    return True


PAGES = [("clinic/email/", test_email, "clinic_email")]
