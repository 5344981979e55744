"""The page on which the first owner makes their account. It exists from the start that printed a code until there is an owner."""

import logging
from datetime import timedelta

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from backcare.core import limits
from backcare.core.forms import EmailField, TextField
from backcare.staff import accounts, first_steps, totp
from backcare.staff.sign_in import half_sign_in, page, signed_in

logger = logging.getLogger(__name__)

PER, CLIENT, ALL = timedelta(hours=1), 10, 100  # tries


class FirstOwnerForm(forms.Form):
    use_required_attribute = False
    code = TextField(
        label="Set-up code",
        longest=60,
        help_text="Printed where the site was started, like abcde-fghjk-mnpqr-stuvw. It works for 24 hours, once.",
        error_messages={"required": "Enter the code that was printed when the site started."},
    )
    first_name = TextField(label="First name", longest=150, error_messages={"required": "Enter your first name."})
    last_name = TextField(label="Last name", longest=150, required=False)
    email = EmailField(label="Work email address", help_text="You sign in with it.")
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        help_text="At least 12 characters. Three random words are easy to remember.",
        error_messages={"required": "Enter a password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same password again",
        strip=False,
        max_length=1000,
        error_messages={"required": "Enter the same password again."},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["code"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["code"].widget.attrs["autofocus"] = True

    def clean_email(self):
        if len(self.cleaned_data["email"]) > User._meta.get_field("username").max_length:
            raise forms.ValidationError("Use an address of 150 characters or fewer.")
        return self.cleaned_data["email"]

    def clean(self):
        cleaned = super().clean()
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", "The two passwords are not the same.")
        if password:
            about = {name: cleaned.get(name, "") for name in ("email", "first_name", "last_name")}
            try:
                validate_password(password, User(username=about["email"], **about))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


@sensitive_post_parameters()
@never_cache
def first_owner(request):
    if not first_steps.waits_for_owner():
        return redirect("admin:login")
    form, status, wait = FirstOwnerForm(request.POST or None), 200, 0
    # Checks the code whatever else is wrong, so that the page can report all of it at once.
    if request.method == "POST" and (form.is_valid() or "code" in form.cleaned_data):
        wait = _count(request)
        if wait:
            form.add_error("code", f"A code was tried too often. Try again {limits.in_words(wait)}.")
            status = 429
        elif form.errors:
            if first_steps.is_owner_code(form.cleaned_data["code"]):
                _give_back(request)  # a mistake elsewhere does not cost a try
            else:
                _refuse_code(form)
        else:
            given = {name: form.cleaned_data[name] for name in ("code", "email", "first_name", "last_name", "password")}
            try:
                user = first_steps.make_first_owner(**given)
            except accounts.Refused as refusal:
                form.add_error("email", str(refusal))
                return _shown(request, form)
            if user:
                logger.info("Staff sign-in: account %s is the first owner", user.pk)
                after = reverse("admin:clinic")  # the second of the four steps
                if totp.is_required():
                    return half_sign_in(request, user, after)
                return signed_in(request, user, None, redirect(after), "the code of the first start")
            _refuse_code(form)
    response = _shown(request, form, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _refuse_code(form: FirstOwnerForm) -> None:
    logger.warning("Staff sign-in: a wrong set-up code")
    form.add_error(
        "code", "This code is wrong or has expired. Each start of the site prints a new one, which replaces the old."
    )


def _shown(request, form: FirstOwnerForm, *, status: int = 200):
    return page(request, "admin/first_owner.html", "Set up this site: the owner", form=form, status=status)


def _count(request) -> int:
    """Seconds to wait. If 0, it may be tried now, and the try is counted."""
    return limits.hit_each(_counted(request)).wait


def _give_back(request) -> None:
    for name, subject, _, per in _counted(request):
        limits.give_back(name, subject, per=per)


def _counted(request) -> list[tuple[str, str, int, timedelta]]:
    return [("first owner client", limits.client(request), CLIENT, PER), ("first owner", "all", ALL, PER)]
