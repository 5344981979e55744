from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.html import format_html

from factsheets.models.approval import BODY_PAGES, REGISTER_PAGES, Register
from factsheets.models.version import Shown

PORTRAIT = r"^people/[a-z0-9-]+\.svg\Z"


class TeamMember(Shown):
    """Somebody who works at the clinic, as patients see them: on the home and “About” pages, beside reviews and in appointments.

    A reviewer is somebody with an account, a statutory register and a number (`factsheets.team`).
    """

    name = models.CharField(max_length=150, help_text="As patients read it, such as Ann Lee.")
    role = models.CharField(max_length=80, blank=True, help_text="In a word or two, such as physiotherapist.")
    register = models.CharField(
        max_length=5,
        choices=Register,
        blank=True,
        help_text="The statutory register. Reviewers of fact sheets need one.",
    )
    other_register = models.CharField(
        "another register or professional body",
        max_length=80,
        blank=True,
        help_text="Only if they are on none of these.",
    )
    number = models.CharField("registration number", max_length=20, blank=True)
    register_link = models.URLField(
        "link to the register",
        max_length=300,
        blank=True,
        help_text="Their own entry, or the page on which patients can search for it.",
    )
    picture = models.ForeignKey(
        "factsheets.Picture", on_delete=models.PROTECT, null=True, blank=True, related_name="people", editable=False
    )
    drawing = models.CharField(
        "drawn portrait",
        max_length=200,
        blank=True,
        validators=[RegexValidator(PORTRAIT, "Name a drawing in people/.")],
    )
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="team_member",
        verbose_name="staff account",
        help_text="If you choose one, patients see this name beside that account’s reviews and appointments.",
    )
    shown = models.BooleanField("show on the website", default=True, help_text="On the home page and under “About”.")
    position = models.PositiveSmallIntegerField("order", default=10, help_text="The lowest number comes first.")

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "person"
        verbose_name_plural = "people who work here"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="team_member_has_name"),
            models.CheckConstraint(condition=Q(drawing="") | Q(picture__isnull=True), name="team_member_one_portrait"),
            models.CheckConstraint(condition=Q(register="") | Q(other_register=""), name="team_member_one_register"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_registered(self) -> bool:
        return bool(self.register and self.number)

    @property
    def registration(self) -> str:
        """HCPC PH123456, or as much of it as there is."""
        return " ".join(filter(None, [self.register or self.other_register, self.number]))

    @property
    def link(self) -> str:
        """Where patients can look them up: the address an owner entered, or the register's website. Empty if neither is known."""
        if self.register_link or not self.registration:
            return self.register_link
        known = (page for words, page in BODY_PAGES.items() if words in self.other_register.casefold())
        return REGISTER_PAGES.get(Register(self.register), "") if self.register else next(known, "")

    @property
    def title(self) -> str:
        """Ann Lee, physiotherapist."""
        return ", ".join(filter(None, [self.name, self.role]))

    @property
    def line(self) -> str:
        """Ann Lee, physiotherapist (HCPC PH123456)."""
        return f"{self.title} ({self.registration})" if self.registration else self.title

    @property
    def search_hint(self) -> str:
        """What to do if the link leads to the register, not to their own entry: “search for PH123456 there”."""
        is_own_entry = self.number.casefold() in self.link.casefold()
        return "" if is_own_entry or not (self.link and self.number) else f"search for {self.number} there"

    @property
    def linked_registration(self) -> str:
        """HTML: HCPC PH123456 as a link to their own entry, or a link to the register and what to search for there."""
        if not self.link:
            return self.registration
        if hint := self.search_hint:
            register = self.register or self.other_register or "register"
            return format_html('<a href="{}">{}</a>, {}', self.link, register, hint)
        return format_html('<a href="{}">{}</a>', self.link, self.registration or "register")

    @property
    def linked_line(self) -> str:
        """The same as `line`, as HTML with the link to the register."""
        found = self.linked_registration
        return format_html("{} ({})", self.title, found) if found else self.title
