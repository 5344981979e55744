"""The owners' pages for staff accounts: who has one, what they may do, and what was done with each. They never show a secret."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from backcare.staff import accounts, handover, sessions, totp
from backcare.staff.forms import AccountForm, HandoverForm
from backcare.staff.models import Authenticator, Invitation
from enquiries.clock import at_words
from enquiries.mail import emails
from enquiries.mail.worker import reason_in_words
from enquiries.models import MessageState, OutgoingMessage, Purpose
from enquiries.templatetags.moments import lately
from factsheets import team

HISTORY = 50  # lines


def owners_only(view):
    def checked(request, *args, **kwargs):
        if not (request.user.is_active and request.user.is_superuser):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


@owners_only
def list_accounts(request):
    users = User.objects.filter(is_staff=True).order_by("-is_active", "first_name", "username")
    return _page(request, "list", "Staff accounts", rows=_rows(users))


@owners_only
def invite(request):
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = accounts.invite(**form.cleaned_data, by=request.user)
        except accounts.Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"Invited {team.account_name(user)}. {_invited(user)}")
            return redirect("admin:accounts")
    return _page(request, "invite", "Invite someone", form=form)


@owners_only
def account(request, id):
    user = _account(id)
    kept = {name: getattr(user, name) for name in ("first_name", "last_name", "email")}
    form = AccountForm(request.POST or None, initial=kept | {"role": accounts.role_of(user)}, account=user)
    if request.method == "POST" and form.is_valid():
        try:
            changed = accounts.change(user=user, by=request.user, **form.cleaned_data)
        except accounts.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _saved(user, changed))
            _tell_who_takes_over(request, changed)
            gave_up = changed == request.user and not changed.is_superuser
            return redirect("admin:index" if gave_up else "admin:accounts")
    about = ContentType.objects.get_for_model(User)
    history = LogEntry.objects.filter(content_type=about, object_id=str(user.pk)).select_related("user")
    return _page(
        request,
        "account",
        team.account_name(user),
        form=form,
        account=user,
        row=_rows(User.objects.filter(pk=user.pk))[0],
        own=user == request.user,
        left_behind=str(handover.work_of(user)) if accounts.hands_over(user) else "",
        history=[(lately(each.action_time), _name(each), each.get_change_message()) for each in history[:HISTORY]],
    )


@owners_only
def second_factor(request, id):
    """Resets a lost second factor, or renews an expired invitation. Never for your own account."""
    user = _account(id)
    app, own = totp.of(user), user == request.user
    if request.method == "POST" and not own:
        try:
            had_one = accounts.invite_again(user=user, by=request.user)
        except accounts.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            done = f"{team.account_name(user)} no longer has a second factor. " if had_one else "Invited them again. "
            messages.success(request, done + _invited(user, mailed=not had_one))
        return redirect("admin:account", id)
    title = (
        f"Reset the second factor of {team.account_name(user)}"
        if app or own
        else f"Invite {team.account_name(user)} again"
    )
    status = 403 if request.method == "POST" else 200
    return _page(
        request, "second_factor", title, status=status, account=user, whom=team.account_name(user), app=app, own=own
    )


@owners_only
def deactivate(request, id):
    user = _account(id)
    name = team.account_name(user)
    return _leave(request, user, accounts.deactivate, f"Deactivate {name}", f"{name} can no longer sign in.")


@owners_only
def hand_over(request, id):
    """The work of somebody who left without handing it over, or who has changed role."""
    user = _account(id)
    if accounts.hands_over(user):
        name = team.account_name(user)
        return _leave(
            request, user, accounts.hand_over, f"Hand over the work of {name}", f"The work of {name} is settled."
        )
    messages.error(request, accounts.STILL_WORKS)
    return redirect("admin:account", id)


def _leave(request, user: User, act: Callable, title: str, done_words: str):
    """The form of who takes over, and what is left to do after it. `act` does it, with the arguments of `accounts.deactivate`."""
    own = user == request.user
    form = HandoverForm(request.POST if request.method == "POST" else None, leaver=user)
    if request.method == "POST" and form.is_valid():
        to, sure, hide = (form.cleaned_data.get(name) for name in ("to", "sure", "hide"))
        try:
            done = act(user=user, by=request.user, to=to, sure=sure, hide=bool(hide))
        except accounts.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:account", user.pk)
        except handover.Doubtful as doubts:
            form.ask_again(doubts)
        else:
            messages.success(request, done_words)
            _tell_where_it_went(request, done, to)
            return redirect("admin:accounts")
    context = {"own": own, "form": form, "work": handover.work_of(user), "person": accounts.public_person(user)}
    return _page(request, "deactivate", title, account=user, ends=act == accounts.deactivate, **context)


@require_POST
@owners_only
def reactivate(request, id):
    user = _account(id)
    try:
        accounts.reactivate(user=user, by=request.user)
    except accounts.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{team.account_name(user)} can sign in again.")
    return redirect("admin:account", id)


@require_POST
@owners_only
def delete(request, id):
    user = _account(id)
    name = team.account_name(user)
    try:
        accounts.delete(user=user, by=request.user)
    except accounts.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:account", id)
    messages.success(request, f"Deleted the account of {name}. The link in the invitation no longer works.")
    return redirect("admin:accounts")


PAGES = [
    ("accounts/", list_accounts, "accounts"),
    ("accounts/invite/", invite, "invite"),
    ("accounts/<int:id>/", account, "account"),
    ("accounts/<int:id>/second-factor/", second_factor, "account_second_factor"),
    ("accounts/<int:id>/deactivate/", deactivate, "account_deactivate"),
    ("accounts/<int:id>/hand-over/", hand_over, "account_hand_over"),
    ("accounts/<int:id>/reactivate/", reactivate, "account_reactivate"),
    ("accounts/<int:id>/delete/", delete, "account_delete"),
]


def _account(id: int) -> User:
    return get_object_or_404(User, pk=id, is_staff=True)


def _rows(users: QuerySet[User]) -> list[dict]:
    """What the list says about each account, with one query for each fact, however many accounts there are."""
    seen = sessions.last_seen()
    apps = {app.user_id: app for app in Authenticator.objects.filter(user__in=users, confirmed=True)}
    invited_at = dict(Invitation.objects.filter(user__in=users).values_list("user", "at"))
    invitations = OutgoingMessage.objects.filter(staff__in=users, purpose=Purpose.INVITATION).order_by("created_at")
    newest = {invitation.staff_id: invitation for invitation in invitations}
    return [
        _row(user, seen.get(user.pk), apps.get(user.pk), invited_at.get(user.pk), newest.get(user.pk))
        for user in users.prefetch_related("groups")
    ]


def _row(
    user: User,
    seen: datetime | None,
    app: Authenticator | None,
    invited_at: datetime | None,
    invitation: OutgoingMessage | None,
) -> dict:
    until = totp.until(user, invited_at)
    failed = invitation is not None and invitation.state == MessageState.FAILED
    needs_factor = app is None and totp.is_required()
    may_invite = user.is_active and app is None and (needs_factor or not user.has_usable_password())
    if not user.is_active:
        state = "Deactivated"
    elif (user.has_usable_password() and not needs_factor) or (settings.OIDC_ISSUER and user.last_login):
        state = "Active"
    elif until:
        state = f"Invited until {at_words(until, timezone.now())}"
    else:
        state = "Invitation expired"
    return {
        "account": user,
        "name": team.account_name(user),
        "role": accounts.role_in_words(user),
        "factor": app.created_at if app else None,
        "seen": lately(seen or user.last_login) or "Never",
        "state": state,
        "may_invite": may_invite,
        "invite_now": may_invite and (until is None or failed),
        "failed": reason_in_words(invitation.error) if failed and may_invite else "",
        "never_used": user.last_login is None,
    }


def _invited(user: User, *, mailed: bool = True) -> str:
    until = at_words(totp.invited_until(user), timezone.now())
    if not mailed:
        sent = "They sign in with their password. "
    elif emails.can_send():
        sent = f"We are emailing a link to {user.email}. "
    else:
        sent = f"The link to {user.email} waits, because no email can be sent yet: set the sender under “Clinic settings”. "
    return f"{sent}They can set up a second factor until {until}. After that, invite them again."


def _saved(before: User, user: User) -> str:
    said = f"Saved {team.account_name(user)}."
    if user.email.lower() != before.email.lower():
        if accounts.is_expected(user):
            return f"{said} {_invited(user)} The link sent before no longer works."
        if user.username != before.username:
            return f"{said} They now sign in with {user.username}."
    return said


def _tell_who_takes_over(request, user: User) -> None:
    number = accounts.open_enquiries(user)
    if number and accounts.hands_over(user):
        queue = f"{reverse('admin:enquiries_enquiry_changelist')}?queue=cover"
        said = f"Their {number} open enquir{'y is' if number == 1 else 'ies are'} now in"
        give = reverse("admin:account_hand_over", args=[user.pk])
        words = '{} <a href="{}">Colleague away</a>. <a href="{}">Hand over their work</a>.'
        messages.info(request, format_html(words, said, queue, give))


def _tell_where_it_went(request, done: handover.HandedOver, to: User | None) -> None:
    if not done.work.lines:
        return
    where = f"Handed over to {team.account_name(to)}" if to else "Back in the queue"
    inbox = f"{reverse('admin:enquiries_enquiry_changelist')}?queue=nobody"
    if not to and done.work.enquiries:
        messages.info(request, format_html('{}: {}. See <a href="{}">Unassigned</a>.', where, done.work, inbox))
    else:
        messages.info(request, f"{where}: {done.work}.")
    diary = f"{reverse('admin:enquiries_enquiry_appointments')}?show=week"
    if done.unnamed:
        said = "Patients with an appointment have not been told. Say who sees them now under"
        messages.warning(request, format_html('{} <a href="{}">Appointments</a>.', said, diary))
    if done.to_phone:
        said = "No email address, so phone them to say who sees them now:"
        messages.warning(request, f"{said} {', '.join(done.to_phone)}.")


def _name(entry: LogEntry) -> str:
    return team.account_name(entry.user)


def _page(request, name: str, title: str, *, status: int = 200, **context):
    context = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/accounts/{name}.html", context, status=status)
