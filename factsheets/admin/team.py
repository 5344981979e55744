"""Who works at the clinic, for an owner to edit."""

import re

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model

from factsheets import approvals, claims_guard, team
from factsheets.admin.figure import CHOOSE_AGAIN, PictureAdmin, PictureForm, picture_field
from factsheets.admin.unsaved import OpenedAdmin, OpenedForm
from factsheets.models import TeamMember
from factsheets.models.approval import SUGGESTED_PAGES


class AccountField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return f"{team.account_name(user)} ({user.get_username()}{'' if user.is_active else ', deactivated'})"


NAMES_LIKE_CLAIMS = {"Miracle", "Cure"}


class TeamMemberForm(PictureForm, OpenedForm):
    account = AccountField(
        queryset=get_user_model().objects.filter(is_staff=True).order_by("first_name", "username"),
        required=False,
        label="Staff account",
        empty_label="None",
        help_text="If you choose one, patients see this name beside that account’s reviews and appointments.",
    )
    register_link = forms.URLField(
        required=False,
        label="Link to the register",
        max_length=300,
        assume_scheme="https",
        help_text="Their own entry, or the page on which patients can search for it. Empty: the register’s website.",
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )
    drawing = forms.ChoiceField(required=False, label="Drawn portrait")
    upload = picture_field("Portrait")

    class Meta:
        model = TeamMember
        fields = [
            *("name", "role", "register", "other_register", "number", "register_link"),
            *("account", "drawing", "shown", "position"),
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        drawings = team.drawings()
        choices = self.drawing_choices([*drawings], "people/", "None")
        self.fields["drawing"].choices = [(name, drawings.get(name, words)) for name, words in choices]
        self.fields["register"].choices = [("", "None of these"), *self.fields["register"].choices[1:]]

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())

    def clean_number(self):
        return self.cleaned_data["number"].strip()

    def clean_register_link(self):
        address = self.cleaned_data["register_link"]
        if address and not address.startswith("https://"):
            raise forms.ValidationError("Enter an address that begins with https://.")
        return address

    def clean(self):
        given = super().clean()
        if given.get("register"):
            if given.get("other_register"):
                self.add_error("other_register", "Choose a register or name another one, not both.")
            if number := re.sub(r"[\s-]", "", given.get("number", "")).upper():
                pattern, words = approvals.NUMBERS[given["register"]]
                if not re.fullmatch(pattern, number, re.ASCII):
                    self.add_error("number", f"Check the number: a {given['register']} number has {words}.")
                given["number"] = number
            elif "number" not in self.errors:
                self.add_error("number", f"Enter their {given['register']} number, or choose no register.")
        elif given.get("number") and not given.get("other_register"):
            self.add_error("register", "Say which register the number is from.")
        self._expect_link(given)
        self._expect_no_claim(given)
        has_picture = self.prepared or (self.instance.picture and given.get("upload") is not False)
        if given.get("drawing") and has_picture:
            self.add_error("drawing", "Choose a drawing or upload a portrait, not both.")
        if self.errors and self.prepared:
            self.add_error("upload", CHOOSE_AGAIN)
        return given

    def _expect_link(self, given):
        """Asks for the register's page, because a number that patients cannot look up tells them nothing."""
        names = ("register", "other_register", "number", "register_link")
        person = TeamMember(**{name: given.get(name, "") for name in names})
        if not person.number or person.link or set(names) & set(self.errors):
            return
        if suggested := SUGGESTED_PAGES.get(person.register):
            self.data = self.data.copy()
            self.data[self.add_prefix("register_link")] = suggested
            said = "We filled in the register’s website. Check that patients can look up the number there, then save again."
        else:
            said = "Enter the register’s website, so that patients can look up the number."
        self.add_error("register_link", said)

    def _expect_no_claim(self, given):
        """Patients read these beside reviews and appointments. A claim in capitals is one too, but Miracle may be a name."""
        own, comma, more = given.get("name", "").partition(",")
        first, rest = own.split()[:3], own.split()[3:]
        name = " ".join([*(word for word in first if word not in NAMES_LIKE_CLAIMS), *rest]) + comma + more
        for field, words in (("name", name), *((each, given.get(each, "")) for each in ("role", "other_register"))):
            for found in claims_guard.free_text("", words):
                self.add_error(field, f"“{found.sentence}”: {found.rule}")

    def _post_clean(self):
        if self.cleaned_data.get("upload") is False and not self.errors:
            self.instance.picture = None
        super()._post_clean()


@admin.register(TeamMember)
class TeamMemberAdmin(OpenedAdmin, PictureAdmin):
    form = TeamMemberForm
    list_display = ["name", "role", "registered", "signs_in", "shown", "position"]
    list_select_related = ["account"]
    fieldsets = [
        (None, {"fields": ["name", "role", "shown", "position"]}),
        ("Registration", {"fields": ["register", "other_register", "number", "register_link"]}),
        ("Portrait", {"fields": ["upload", "drawing"]}),
        (None, {"fields": ["account"]}),
    ]

    @admin.display(description="registration")
    def registered(self, person):
        return person.registration or "none"

    @admin.display(description="staff account", ordering="account")
    def signs_in(self, person):
        user = person.account
        return f"{user}{'' if user.is_active else ' (deactivated)'}" if user else None
