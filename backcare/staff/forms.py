from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm

from backcare.staff import throttle


class PasswordForm(AdminAuthenticationForm):
    """The same sentence for a wrong password, an unknown name and an account that is not of the staff."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "The username or password is not right. Check capital letters in both.",
        "busy": "Many people are signing in at the moment, so we did not check your password. Wait a few seconds and try again.",
    }

    def clean(self):
        username = self.cleaned_data.get("username")
        if username is None or not self.cleaned_data.get("password"):
            return self.cleaned_data
        throttle.count(self.request, username)
        try:
            with throttle.turn(self.request, username):
                cleaned = super().clean()
        except throttle.Busy:
            throttle.give_back(self.request, username)
            raise forms.ValidationError(self.error_messages["busy"], code="busy") from None
        throttle.give_back(self.request, username)
        return cleaned


class OneTimeInput(forms.TextInput):
    """Comes back empty: a code that was wrong, or used, is no use."""

    def format_value(self, value):
        return None


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=20,
        error_messages={"required": "Enter the six digits that your app shows."},
        widget=OneTimeInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        ),
    )


class RecoveryForm(forms.Form):
    code = forms.CharField(
        label="Recovery code",
        max_length=60,
        error_messages={"required": "Enter one of your recovery codes."},
        widget=OneTimeInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "autofocus": True, "spellcheck": "false"}
        ),
    )
