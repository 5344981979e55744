"""Reads what a page tells programs (its linked data and the lines of its head), and makes changes to that."""

import json
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from backcare.core import clinic
from factsheets import actions
from factsheets.models import Edition, FactSheet, Step
from tests.support.desk import registered
from tests.support.html import title
from tests.support.reading import SHEET_PAGES

# All of schema.org's HealthAspectEnumeration.
NAMES = """
Allergies Benefits Causes Contagiousness Effectiveness GettingAccess HowItWorks HowOrWhere Ingredients LivingWith MayTreat
Misconceptions Overview PatientExperience Pregnancy Prevention Prognosis RelatedTopics RisksOrComplications Safety Screening
SeeDoctor SelfCare SideEffects Stages Symptoms Treatments Types UsageOrSchedule
"""
ASPECTS = {f"https://schema.org/{name}HealthAspect" for name in NAMES.split()}
# The types that we use, each with the properties that schema.org gives it or one of its parents.
THING = {"@type", "@id", "name", "description", "url", "sameAs", "image"}
WORK = THING | {"inLanguage", "audience", "about", "datePublished", "dateModified", "publisher", "isPartOf", "hasPart"}
WORK |= {"citation", "license"}
TYPES = {
    "MedicalWebPage": WORK | {"lastReviewed", "reviewedBy", "breadcrumb"},
    "WebPage": WORK,
    "WebSite": WORK,
    "CreativeWork": WORK,
    "ScholarlyArticle": WORK,
    "Book": WORK,
    "Legislation": WORK,
    "Report": WORK,
    "HealthTopicContent": WORK | {"hasHealthAspect"},
    "DefinedTermSet": WORK | {"hasDefinedTerm"},
    "DefinedTerm": THING,
    "MedicalAudience": THING | {"audienceType"},
    "MedicalCondition": THING,
    "MedicalClinic": THING | {"telephone", "email", "address"},
    "Person": THING,
    "BreadcrumbList": THING | {"itemListElement"},
    "ListItem": THING | {"position", "item"},
}


def block(tree) -> dict:
    """The page's linked data. Fails unless it has exactly one block, of valid JSON."""
    [script] = [node for node in tree.iter("script") if node.get("type") == "application/ld+json"]
    return json.loads(script.text)


def things(data) -> Iterator[dict]:
    """Every object in the data, the outermost first."""
    if isinstance(data, dict):
        yield data
        for value in data.values():
            yield from things(value)
    elif isinstance(data, list):
        for value in data:
            yield from things(value)


def expect_known_words(data: dict) -> None:
    """Checks that the data uses schema.org's terms, each where it belongs. A bare reference to another object has only an @id."""
    assert data["@context"] == "https://schema.org"
    for thing in things({key: value for key, value in data.items() if key not in {"@context", "@graph"}}):
        if set(thing) == {"@id"} or thing == {}:
            continue
        assert set(thing) <= TYPES[thing["@type"]], thing
        assert all(value not in ("", None, [], {}) for value in thing.values()), thing
    for thing in data.get("@graph", []):
        expect_known_words({"@context": "https://schema.org", **thing})


def metas(tree) -> dict[str, str]:
    """The head's meta elements by name or property. Fails on duplicates, except those with a colour scheme."""
    found: dict[str, str] = {}
    for node in tree.iter("meta"):
        name = node.get("name") or node.get("property")
        if name and not node.get("media"):
            assert name not in found, f"{name} is there twice."
            found[name] = node.get("content")
    return found


def head_links(tree, rel: str) -> list[dict]:
    return [dict(node.attrib) for node in tree.iter("link") if node.get("rel") == rel]


def path_of(settings, address: str) -> str:
    assert address.startswith(f"{settings.BASE_URL}/"), address
    return address.removeprefix(settings.BASE_URL)


def sign_off(sheet: FactSheet) -> User:
    """A clinician signs the sheet off, as on the desk."""
    clinician = User.objects.create_superuser("dr", "dr@example.com", "x", first_name="Robin", last_name="Example")
    registered(clinician)
    due = timezone.localdate() + timedelta(days=300)
    actions.transition(sheet=sheet, step=Step.SIGNED_OFF, by=clinician, review_due_on=due)
    return clinician


def edit(sheet: FactSheet, *, note: str = "", **changes) -> Edition:
    """An editor changes the sheet, as on the desk."""
    editor, _ = User.objects.get_or_create(username="ed.private", email="ed@example.com", first_name="Edna")
    sheet.refresh_from_db()
    for name, value in changes.items():
        setattr(sheet, name, value)
    sheet.save()
    actions.refresh(sheet=sheet)
    return actions.keep_edition(sheet=sheet, by=editor, note=note)


def expect_head(tree, settings, path: str) -> None:
    """Checks that a page names its own address, title and card for sharing, and that a private one does not."""
    [canonical] = head_links(tree, "canonical")
    assert path_of(settings, canonical["href"]) == path
    named = metas(tree)
    assert title(tree) == f"{named.get('og:title', title(tree).split(' – ')[0])} – {clinic.details()['name']}"
    [feed] = [link for link in head_links(tree, "alternate") if link["type"] == "application/atom+xml"]
    assert feed["href"] == "/feed.xml"
    if named.get("robots") == "noindex":
        assert not [name for name in named if name.startswith(("og:", "twitter:"))]
        return
    assert named["og:url"] == canonical["href"]
    assert named["og:site_name"] == clinic.details()["name"]
    assert (named["og:locale"], named["twitter:card"]) == ("en_GB", "summary_large_image")
    assert named.get("og:description") == named.get("description")
    assert named["og:type"] == ("article" if path in SHEET_PAGES else "website")
    assert path_of(settings, named["og:image"]) == "/card.png"
    assert (named["og:image:width"], named["og:image:height"]) == ("1200", "630")
    assert named["og:image:alt"]
