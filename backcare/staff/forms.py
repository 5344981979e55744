from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User

from backcare.staff import accounts, handover, throttle
from enquiries import staff_members
from factsheets import team


class PasswordForm(AdminAuthenticationForm):
    """The same sentence for a wrong password, an unknown name and an account without access to the desk."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "busy": "Many people are signing in at the moment, so we did not check your password. Wait a few seconds and try again.",
    }

    # The password was right, but its account is deactivated. For the records: the answer is the same.
    is_deactivated = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = label = accounts.sign_in_label()
        wrong = f"The {label.lower().replace(' or ', ', ')} or password is not right."
        self.error_messages = self.error_messages | {
            "invalid_login": f"{wrong} Check the capital letters in your password."
        }
        for field in self.fields.values():
            field.error_messages["required"] = f"Enter your {field.label.lower()}."

    def clean(self):
        username = self.cleaned_data.get("username")
        if username is None or not self.cleaned_data.get("password"):
            return self.cleaned_data
        username = self.cleaned_data["username"] = accounts.as_spelt(username)
        throttle.count(self.request, username)
        try:
            with throttle.turn(self.request, username):
                self._refuse_deactivated(username, self.cleaned_data["password"])
                cleaned = super().clean()
        except throttle.Busy:
            throttle.give_back(self.request, username)
            raise forms.ValidationError(self.error_messages["busy"], code="busy") from None
        throttle.give_back(self.request, username)
        return cleaned

    def _refuse_deactivated(self, username: str, password: str) -> None:
        """Compares once, as Django does for every other name, so that the time of the answer tells a stranger nothing."""
        user = User.objects.filter(username=username, is_staff=True, is_active=False).first()
        if user:
            self.is_deactivated = user.check_password(password)
            raise self.get_invalid_login_error()


class OneTimeInput(forms.TextInput):
    """Shown empty again, because a wrong or used code is of no use."""

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


class ForgottenForm(forms.Form):
    email = forms.EmailField(
        label="Your work email address",
        max_length=254,
        error_messages={
            "required": "Enter your email address.",
            "invalid": "Enter an email address in full, such as name@example.com.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class _ChosenTwice:
    """Choosing a password, in our words. What is wrong with it is shown beside the first of the two fields."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = "At least 12 characters. Three random words are easy to remember."
        self.fields["new_password2"].label = "The same password again"
        self.fields["new_password2"].help_text = ""
        self.fields["new_password1"].error_messages["required"] = "Enter a password."
        self.fields["new_password2"].error_messages["required"] = "Enter the same password again."

    def validate_password_for_user(self, user, *args):
        super().validate_password_for_user(user, "new_password1")


class NewPasswordForm(_ChosenTwice, SetPasswordForm):
    """For someone who has opened a link."""


class ChangedPasswordForm(_ChosenTwice, PasswordChangeForm):
    """For someone who is signed in."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["old_password"].label = "Your present password"
        self.fields["old_password"].error_messages["required"] = "Enter your present password."
        self.error_messages = self.error_messages | {"password_incorrect": "This is not your present password."}


class AccountForm(forms.Form):
    """Who somebody is and what they may do: to invite them, and to change it later."""

    first_name = forms.CharField(label="First name", max_length=150)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    # As long as a username, because it is one.
    email = forms.EmailField(
        label="Work email address",
        max_length=150,
        error_messages={"invalid": "Enter an email address in full, such as name@example.com."},
        help_text="They sign in with this address.",
    )
    role = forms.ChoiceField(label="Role", choices=accounts.ROLES.items(), widget=forms.RadioSelect)

    def __init__(self, *args, account: User | None = None, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.account = account
        if account and not accounts.signs_in_with_address(account):
            self.fields["email"].help_text = f"They sign in with the username {account.get_username()}."
        for name, field in self.fields.items():
            field.error_messages["required"] = (
                "Choose a role." if name == "role" else f"Enter the {field.label.lower()}."
            )
            if name != "role":
                field.widget.attrs["autocomplete"] = "off"

    def clean_email(self):
        address = self.cleaned_data["email"]
        if holder := accounts.taken(address, but=self.account):
            state = "" if holder.is_active else ", which is deactivated"
            raise forms.ValidationError(f"There is already an account for {address}{state}.")
        return address


class StaffField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return team.account_name(user)


class HandoverForm(forms.Form):
    """Who takes over the work of somebody who leaves. Without a choice it goes back to the queue."""

    use_required_attribute = False
    sure = forms.CharField(required=False, widget=forms.HiddenInput)
    to = StaffField(
        label="Who takes over?",
        queryset=None,
        required=False,
        empty_label="Nobody yet: back in the queue, unassigned",
        error_messages={"invalid_choice": "This colleague can no longer open enquiries. Choose someone else."},
    )

    def __init__(self, *args, leaver: User, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["to"].queryset = staff_members.who_may_open().exclude(pk=leaver.pk)
        if person := accounts.public_person(leaver):
            self.fields["hide"] = forms.BooleanField(
                label=f"Take {person.name} off the public pages", required=False, initial=True
            )

    def ask_again(self, doubts: handover.Doubtful) -> None:
        """Shows the clashes beside the choice. A second press confirms them, for this colleague."""
        self.data = self.data.copy()
        self.data["sure"] = doubts.mark
        self.add_error(
            "to", f"{doubts} Nothing was changed. Choose someone else, or press again to hand over all the same."
        )
