"""The form for the clinic's settings: what an owner may enter, and why anything else is refused."""

from email.headerregistry import Address
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from backcare.core import addresses, palette, phones
from backcare.core.forms import EmailField, PhoneField, TextField
from backcare.core.models import MAX_ENQUIRY_MONTHS, MAX_REPORT_DAYS, ClinicSettings
from enquiries.models.hours import Nation
from factsheets import claims_guard, pictures
from factsheets.admin.figure import CHOOSE_AGAIN
from factsheets.admin.figure import outcome as prepare

MAX_PRICES, MAX_PRICE_LENGTH = 12, 120
SHORTER = "shorter"
REMOVE_LOGO = "remove_logo"  # the button
SECTIONS = [
    ("The clinic", ["name", "phone", "email", "address", "has_no_rooms", "map_link", "nation", "colour", "logo"]),
    ("Emergency department (A&E) near the clinic", ["hospital_name", "hospital_address", "hospital_phone"]),
    ("Prices and interests", ["prices", "acupuncture_prices", "interest_statement"]),
    ("Email", ["sender_name", "sender_email", "reply_to_email", "inbox_email", "daily_digest"]),
    ("Privacy and copying", ["report_retention_days", "enquiry_retention_months", SHORTER, "content_licence"]),
]


def line(label: str, longest: int, *, needed: str = "", help_text: str = "", lines: int = 1) -> TextField:
    """A text field whose message says what to enter when it is `needed`."""
    return TextField(
        label=label,
        longest=longest,
        lines=lines,
        required=bool(needed),
        help_text=help_text,
        error_messages={"required": needed},
    )


def email_address(label: str, *, needed: str = "", help_text: str = "") -> EmailField:
    return EmailField(label=label, required=bool(needed), help_text=help_text, error_messages={"required": needed})


class ClinicPhoneField(PhoneField):
    """The number as people in the UK write it, which is how pages show it."""

    def to_python(self, value: Any) -> str:
        kept = super().to_python(value)
        found = phones.parts(kept)
        if found and (found.relay or found.extension):
            raise forms.ValidationError(
                "Enter the number only, without text relay or an extension. Pages show the relay number beside it."
            )
        return phones.in_words(kept)


def period(label: str, unit: str, most: int, help_text: str) -> forms.IntegerField:
    wrong = f"Enter a whole number of {unit}, from 1 to {most}."
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        help_text=help_text,
        error_messages={"required": wrong, "invalid": wrong, "min_value": wrong, "max_value": wrong},
    )


class ClinicForm(forms.Form):
    use_required_attribute = False
    version = forms.IntegerField(widget=forms.HiddenInput)
    name = line(
        "Name", 80, needed="Enter the clinic’s name.", help_text="At the top of every page, and who emails are from."
    )
    phone = ClinicPhoneField(
        label="Phone",
        error_messages={"required": "Enter the phone number that patients call."},
        help_text="On every page.",
    )
    email = email_address("Public email address", needed="Enter the email address that patients may write to.")
    address = line("Address", 200, help_text="On one line. Every page shows it.")
    has_no_rooms = forms.BooleanField(label="We have no rooms: online or by telephone only", required=False)
    map_link = forms.URLField(
        label="Link to a map",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="From any map website, starting with https://",
        error_messages={"invalid": "Enter a whole link, such as https://www.openstreetmap.org/…"},
    )
    # Can also be changed with the opening hours, which have no version, so the form itself carries the value it was shown with.
    nation = forms.ChoiceField(
        label="Nation",
        choices=Nation.choices,
        show_hidden_initial=True,
        help_text="Its bank holidays count as closed.",
    )
    colour = forms.ChoiceField(
        label="Colour",
        choices=[(name, each.label) for name, each in palette.PALETTE.items()],
        widget=forms.RadioSelect,
        help_text="Of public pages, emails, PDFs and this desk. Each keeps words readable in the light scheme and in the dark one.",
        error_messages={
            "invalid_choice": "Choose one of these colours. With another one, words might not stand out enough "
            "from what is behind them (4.5 to 1, WCAG AA), in the light or the dark scheme."
        },
    )
    logo = forms.FileField(
        label="Logo",
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=f"Heads every page, PDF and email, on white. JPEG, PNG or WebP, at least {pictures.LOGO.min_width} pixels "
        f"wide, at most {pictures.MAX_BYTES // 1024**2} MB. If it is at least twice as wide as it is high, it is shown in "
        "place of the name, so it should contain the name.",
    )
    hospital_name = line(
        "Hospital", 120, help_text="Shown under “Get help now”. Check it once a year: departments move."
    )
    hospital_address = line("Its address", 200)
    hospital_phone = ClinicPhoneField(label="Its phone number", required=False)
    prices = line(
        "Prices, except for acupuncture",
        2000,
        lines=5,
        help_text="One per line, such as “First consultation, 45 minutes: £60”. Give the price of a whole course with the first "
        "visit too, so that nobody has to work it out.",
    )
    acupuncture_prices = line(
        "Prices of acupuncture",
        2000,
        lines=3,
        help_text="Pages about acupuncture show these and no others, so give the price of a four-session try and of a whole "
        "course, with the first visit. Other treatments’ pages show those above.",
    )
    interest_statement = line(
        "What you sell, and how pages stay fair",
        1000,
        lines=4,
        help_text="On the about page, and with each page about a treatment that you offer. Leave it empty to say nothing there.",
    )
    sender_name = line(
        "Emails are from", 80, help_text="The name that patients see. Leave it empty to use the clinic’s name."
    )
    sender_email = email_address(
        "Sent from the address",
        help_text="One that your mail server may send for. Leave it empty to use the public email address. "
        "After a change, test that email arrives.",
    )
    inbox_email = email_address(
        "Inbox for alerts",
        needed="Enter an address that someone reads on every working day.",
        help_text="New requests, warning signs and the morning summary. Never what a patient wrote.",
    )
    reply_to_email = email_address(
        "Replies from patients go to",
        help_text="A mailbox that someone reads. Leave it empty to use the public email address.",
    )
    daily_digest = forms.BooleanField(
        label="Send a summary of the inbox, in numbers, on the morning of each working day", required=False
    )
    report_retention_days = period(
        "Days to keep details of a fact sheet sent by email", "days", MAX_REPORT_DAYS, "Counted from the email."
    )
    enquiry_retention_months = period(
        "Months to keep details of a consultation or question", "months", MAX_ENQUIRY_MONTHS, "Counted from closing."
    )
    shorter = forms.BooleanField(
        label="Delete details that are older than the new periods, within the hour", required=False
    )
    content_licence = line(
        "What others may do with your pages", 600, lines=4, needed="Say whether others may copy your pages."
    )

    # The logo that was uploaded with this form, once it has been read and is valid.
    prepared: pictures.Prepared | None = None

    def __init__(self, *args: Any, row: ClinicSettings, nation: str, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.row = row
        self.before = row.as_saved() | {"nation": nation}
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean_logo(self) -> str:
        """The digest of the new logo."""
        upload = self.cleaned_data["logo"]
        if isinstance(upload, UploadedFile):
            outcome = prepare(upload, pictures.LOGO)
            if isinstance(outcome, pictures.PictureRefused):
                raise forms.ValidationError(str(outcome))
            self.prepared = outcome
            return outcome.digest
        return "" if REMOVE_LOGO in self.data else self.row.logo

    def clean_map_link(self) -> str:
        link = self.cleaned_data["map_link"]
        if link and not link.startswith("https://"):
            raise forms.ValidationError("Enter a link that starts with https://")
        return link

    def clean_prices(self) -> str:
        return self._price_lines("prices")

    def clean_acupuncture_prices(self) -> str:
        return self._price_lines("acupuncture_prices")

    def _price_lines(self, name: str) -> str:
        lines = [" ".join(each.split()) for each in self.cleaned_data[name].splitlines() if each.strip()]
        if len(lines) > MAX_PRICES:
            raise forms.ValidationError(f"Enter {MAX_PRICES} prices or fewer, one per line.")
        if long := next((each for each in lines if len(each) > MAX_PRICE_LENGTH), ""):
            raise forms.ValidationError(f"Shorten the line “{long[:40]}…” to {MAX_PRICE_LENGTH} characters.")
        return _honest("\n".join(lines))

    def clean_interest_statement(self) -> str:
        return _honest(self.cleaned_data["interest_statement"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._check_sender(cleaned)
        if cleaned.get("has_no_rooms") and cleaned.get("address"):
            self.add_error("address", "Take the address out, or untick “We have no rooms”.")
        parts = ("hospital_name", "hospital_address")
        if any(cleaned.get(name) for name in (*parts, "hospital_phone")):
            for name in parts:
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, "Enter the hospital’s name and address, or leave all three empty.")
        periods = ("report_retention_days", "enquiry_retention_months")
        shortened = [name for name in periods if cleaned.get(name) and cleaned[name] < self.before[name]]
        if shortened and not cleaned.get(SHORTER):
            self.add_error(SHORTER, "Tick this too, because shorter periods delete what is older. It cannot be undone.")
        if self.errors and self.prepared:
            self.add_error("logo", CHOOSE_AGAIN)
        return cleaned

    def _check_sender(self, cleaned: dict[str, Any]) -> None:
        field = "sender_email" if cleaned.get("sender_email") else "email"
        address, name = cleaned.get(field), cleaned.get("sender_name") or cleaned.get("name")
        if address and name and not addresses.can_send(str(Address(display_name=name, addr_spec=address))):
            self.add_error(field, "No mail program can send from this address. Enter one like clinic@example.com")

    @property
    def swatches(self) -> list[tuple[forms.boundfield.BoundWidget, palette.Colours]]:
        """The choices of colour, each with a sample."""
        return list(zip(self["colour"].subwidgets, palette.PALETTE.values(), strict=True))

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]


def _honest(text: str) -> str:
    """The text, if the claims guard passes it."""
    if found := claims_guard.free_text("", text):
        raise forms.ValidationError([f"“{each.sentence}”: {each.rule}" for each in found])
    return text


def label(name: str) -> str:
    """How a sentence names a field."""
    said = str(ClinicForm.base_fields[name].label)
    return said[0].lower() + said[1:]


def in_words(name: str, value: Any) -> str:
    """A saved value as the history shows it."""
    field = ClinicForm.base_fields[name]
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))
    if isinstance(field, forms.BooleanField):
        return "Yes" if value else "No"
    if isinstance(field, forms.FileField):
        return f"picture {value[:6]}" if value else "none"
    return str(value)
