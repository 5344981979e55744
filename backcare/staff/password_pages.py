"""The pages that an email opens: a new password after a forgotten one, and the first one after an invitation.

Asking for a link reveals nothing about who works here: the answer has the same words and costs the same work for an address
without an account. The new password ends every session, and the second factor is still asked for.
"""

import logging
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from backcare.core import limits
from backcare.staff import account_emails, sessions
from backcare.staff.forms import ForgottenForm, NewPasswordForm
from backcare.staff.sign_in import BARE, half_sign_in, page, record
from enquiries.mail import emails
from enquiries.models import OutgoingMessage, Purpose

logger = logging.getLogger(__name__)

PER = timedelta(hours=1)
CLIENT = 10  # in PER, from one client
ACCOUNT = 3  # in PER, for one address. Using them up for somebody else sends that person three links that work


@never_cache
def forgotten(request):
    """Asks for an address, and emails a link to each account that has it."""
    if "sent" in request.GET:
        if emails.can_send():
            return page(request, "admin/forgotten_sent.html", "Check your email")
        return page(request, "admin/forgotten_sent.html", "The link has to wait", waits=True)
    form = ForgottenForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"].casefold()
        wait = _count(request, address)
        if not wait:
            send_link(address)
            return redirect(f"{reverse('admin:forgotten')}?sent")
        when = limits.in_words(wait)
        form.add_error("email", f"You have asked for this too often. Try again {when}, or ask an owner to help.")
        status = 429
    response = page(request, "admin/forgotten.html", "Forgotten your password?", form=form, status=status)
    if status == 429:
        response["Retry-After"] = str(wait)
    return response


def _count(request, address: str) -> int:
    """Seconds to wait. If 0, a link may be asked for now, and the request is counted."""
    client = ("password link client", limits.client(request), CLIENT, PER)
    return limits.hit_each([client, ("password link account", address, ACCOUNT, PER)]).wait


def send_link(address: str) -> None:
    """One row is written in one transaction, whether or not there is an account, so the time it takes reveals nothing."""
    with transaction.atomic():
        found = User.objects.filter(email__iexact=address, is_active=True, is_staff=True)
        users = [user for user in found if account_emails.may_reset(user)]
        for user in users:
            OutgoingMessage.objects.create(purpose=Purpose.PASSWORD_RESET, staff=user)
        if not users:
            limits.add([("password link nobody", address, PER)])
    logger.info("Staff sign-in: somebody asked for a new password")


class _ByLink(PasswordResetConfirmView):
    """Django's own: the secret moves at once from the address to the session, so that no other page learns it."""

    form_class = NewPasswordForm
    template_name = "admin/new_password.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        valid = context["validlink"]
        return context | BARE | {"title": self.title if valid else self.over, "account": self.user, "kind": self.kind}

    def form_valid(self, form):
        with transaction.atomic():
            user = form.save()
            sessions.end_all(user=user)
            record(user, self.done)
        logger.info("Staff sign-in: account %s chose a password by a link", user.pk)
        return self.after(User.objects.get(pk=user.pk))


class NewPasswordView(_ByLink):
    kind = "password"
    title, over = "Choose a new password", "This link no longer works"
    done = "Chose a new password with a link sent by email. Every session ended."
    token_generator = account_emails.password_tokens

    def after(self, user: User):
        self.request.session.flush()
        return redirect(f"{reverse('admin:login')}?why=changed")


class InvitationView(_ByLink):
    kind = "invitation"
    title, over = "Choose your password", "This invitation no longer works"
    done = "Accepted the invitation, and chose a password."
    token_generator = account_emails.invitation_tokens

    def after(self, user: User):
        return half_sign_in(self.request, user, reverse("admin:index"))
