"""Who works at the clinic, for an owner to edit."""

import re

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import UploadedFile

from factsheets import approvals, pictures, team
from factsheets.admin.figure import CHOOSE_AGAIN, UPLOAD_HELP, CurrentPicture, PictureInput, outcome
from factsheets.models import TeamMember


class AccountField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return f"{team.account_name(user)} ({user.get_username()})"


class TeamMemberForm(forms.ModelForm):
    account = AccountField(
        queryset=get_user_model().objects.filter(is_staff=True).order_by("first_name", "username"),
        required=False,
        label="Staff account",
        empty_label="None",
        help_text="With it, patients read this name beside the reviews and appointments of the account.",
    )
    register_link = forms.URLField(
        required=False,
        label="Link to the register",
        max_length=300,
        assume_scheme="https",
        help_text="Their own entry, or the page on which patients can search for it.",
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )
    drawing = forms.ChoiceField(required=False, label="Drawn portrait")
    upload = forms.FileField(
        label="Portrait",
        required=False,
        widget=PictureInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=UPLOAD_HELP,
    )
    prepared: pictures.Prepared | None = None

    class Meta:
        model = TeamMember
        fields = [
            *("name", "role", "register", "other_register", "number", "register_link"),
            *("account", "drawing", "shown", "position"),
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        there = team.drawings()
        lost = [self.instance.drawing] if self.instance.drawing and self.instance.drawing not in there else []
        short = {name: name.removeprefix("people/").removesuffix(".svg") for name in [*there, *lost]}
        self.fields["drawing"].choices = [
            ("", "None"),
            *((name, short[name]) for name in there),
            *((name, f"{short[name]} (the file is missing)") for name in lost),
        ]
        self.fields["register"].choices = [("", "None of these"), *self.fields["register"].choices[1:]]
        if self.instance.picture:
            self.initial["upload"] = CurrentPicture(self.instance.picture)

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())

    def clean_number(self):
        return self.cleaned_data["number"].strip()

    def clean_register_link(self):
        address = self.cleaned_data["register_link"]
        if address and not address.startswith("https://"):
            raise forms.ValidationError("Enter an address that begins with https://.")
        return address

    def clean_upload(self):
        upload = self.cleaned_data["upload"]
        if not isinstance(upload, UploadedFile):  # left as it is, or taken away
            return upload
        if isinstance(upload.outcome, pictures.PictureRefused):
            raise forms.ValidationError(str(upload.outcome))
        self.prepared = upload.outcome
        return upload

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
        elif given.get("number") and not given.get("other_register"):
            self.add_error("register", "Say which register the number is from.")
        has_picture = self.prepared or (self.instance.picture and given.get("upload") is not False)
        if given.get("drawing") and has_picture:
            self.add_error("drawing", "Choose a drawing or upload a portrait, not both.")
        if self.errors and self.prepared:
            self.add_error("upload", CHOOSE_AGAIN)
        return given

    def _post_clean(self):
        if self.cleaned_data.get("upload") is False and not self.errors:
            self.instance.picture = None
        super()._post_clean()


@admin.register(TeamMember)
class TeamMemberAdmin(admin.ModelAdmin):
    form = TeamMemberForm
    list_display = ["name", "role", "registered", "account", "shown", "position"]
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

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        # Before the desk opens its transaction: SQLite lets nobody else write until it ends, and a picture takes seconds.
        may_write = self.has_change_permission(request) or self.has_add_permission(request)
        if may_write and (upload := request.FILES.get("upload")):
            upload.outcome = outcome(upload)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        if form.prepared:
            obj.picture = pictures.keep(form.prepared, by=request.user)
        super().save_model(request, obj, form, change)
        pictures.discard_unused()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        pictures.discard_unused()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        pictures.discard_unused()
