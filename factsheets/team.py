"""The people who work at the clinic, for the pages that name them."""

import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.db.models import Subquery
from django.templatetags.static import static
from django.utils import timezone

from backcare.core.models import ClinicSettings
from factsheets import pictures
from factsheets.models import PictureFile, SiteNotice, TeamMember

ENTER_YOURS = "Enter yours"
DRAWING_TITLE = re.compile(r"<title>([^<]+)</title>")


def of(user: Any) -> TeamMember | None:
    """The person whose account this is. None if it is nobody's, or there is no account."""
    return getattr(user, "team_member", None) if user else None


def account_name(user: Any) -> str:
    return user.get_full_name() or user.get_username()


def bare_name_of(user: Any) -> str:
    """Ann Lee."""
    person = of(user)
    return person.name if person else account_name(user)


def line_of(user: Any) -> str:
    """As patients read it: Ann Lee, physiotherapist (HCPC PH123456). Of somebody who is not in the list, the account's name.

    Empty for nobody.
    """
    person = of(user)
    return person.line if person else account_name(user) if user else ""


def why_no_reviewer(user: Any) -> str:
    """Why readers could not be told who this reviewer is. Empty if they can."""
    person = of(user)
    if person and person.is_registered:
        return ""
    said = "Readers see who reviewed or approved what they read, with register and number."
    where = "under “People who work here”, with your staff account"
    if not user.has_perm("factsheets.change_teammember"):
        return f"{said} Ask an owner to enter yours {where}."
    return f"{said} Are you a clinician? {ENTER_YOURS} {where}. If not, ask a clinician to do this."


def shown() -> dict[str, Any]:
    """For every page (`backcare.core.clinic`): each person as plain data, in order, and the current notice."""
    people = TeamMember.objects.filter(shown=True).select_related("picture")
    notice = SiteNotice.at(timezone.now()).first()
    important = notice is not None and notice.level == SiteNotice.Level.IMPORTANT
    return {
        "people": [_as_data(each) for each in people],
        "notice": {"text": notice.text, "is_important": important} if notice else None,
        "logo": _logo(),
    }


def _logo() -> dict[str, Any] | None:
    """The clinic's logo in its smallest size, because it is at most 40 pixels high at the top of a page."""
    digest = ClinicSettings.objects.filter(pk=1).values("logo")[:1]
    files = PictureFile.objects.filter(picture__digest=Subquery(digest), format=PictureFile.Format.JPEG)
    file = files.select_related("picture").defer("data").order_by("width").first()
    if file is None:
        return None
    picture = file.picture
    return {
        "address": pictures.address(picture.digest, file.width, file.format),
        "digest": picture.digest,
        "width": picture.width,
        "height": picture.height,
        "is_wide": picture.width >= 2 * picture.height,
    }


def _as_data(person: TeamMember) -> dict[str, str]:
    return {
        "title": person.title,
        "linked_line": person.linked_line,
        "portrait": _portrait(person),
    }


def _portrait(person: TeamMember) -> str:
    """The address of a picture or drawing. Empty if there is none or a drawing's file is missing."""
    if person.picture:
        width = person.picture.files.filter(format="jpg").order_by("width").values_list("width", flat=True).first()
        return pictures.address(person.picture.digest, width, "jpg") if width else ""
    try:
        return static(person.drawing) if person.drawing and finders.find(person.drawing) else ""
    except ValueError:  # a deployment that has not collected it
        return ""


def drawings() -> dict[str, str]:
    """The drawn portraits in static/people/, such as people/woman-bob.svg, each with its title, which says what it shows."""
    folder = finders.find("people")
    found = {}
    for file in Path(folder).glob("*.svg") if folder else []:
        title = DRAWING_TITLE.search(file.read_text(encoding="utf-8"))
        found[f"people/{file.name}"] = title[1] if title else file.stem.replace("-", " ").capitalize()
    return dict(sorted(found.items(), key=lambda each: each[1]))
