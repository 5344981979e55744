"""Walks over all models, to find any new column that would let the database keep half a fact."""

from collections.abc import Iterator

from django.db import models
from django.db.models import CheckConstraint, Q

from backcare.core.encryption import EncryptedTextField
from enquiries.models import OutgoingMessage
from factsheets.models import FactSheet
from tests.support.models import our_models

# Columns that may be empty on their own, and why the fact is whole without them.
MAY_BE_EMPTY_ALONE = {
    "factsheets.Edition": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "note": "the list of changes says enough",
        "retire_on": "a day to come, where one was signed",
    },
    "factsheets.ReviewComment": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "section": "it is about the sheet as a whole",
    },
    "factsheets.SharedEdition": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "note": "the list of changes says enough",
    },
    "factsheets.SourceLink": dict.fromkeys(
        ["digest", "etag", "last_modified", "new_digest", "new_etag", "new_last_modified", "fault", "moved_to"],
        "what one check found; not every server says it, and not every check finds anything",
    )
    | {"source": "texts link to it, and no source does", "opened_on": "most were never opened by a person"},
    "factsheets.UnsavedEdit": {
        "sheet": "what several sheets share, or a red flag, is open",
        "typed": "somebody has it open and typed nothing yet",
        "typed_at": "somebody has it open and typed nothing yet",
    },
    "factsheets.KeptClaim": {"by": "the actor is kept as text beside it, for when accounts go"},
    "factsheets.GuardOverride": {"by": "the actor is kept as text beside it, for when accounts go"},
    "enquiries.Enquiry": {
        "owner": "nobody has taken it yet",
        "erased_at": "it holds for everything the row had, and the timeline says who",
        "next_call_at": "no call is planned",
        "flood": "it is like no other, or the one that the flood was known by is gone",
        "email_key": "rows from before there was a key, erased ones, and those who gave a number alone",
        "phone_key": "they gave no number",
        "may_leave_voicemail": "not asked",
        "may_say_who_calls": "not asked",
    },
    "enquiries.Appointment": {
        "with_whom": "nobody in particular, or the account is gone",
        "reminded_at": "not reminded yet, or too late; and whoever was reminded may want no more of them",
    },
    "enquiries.EnquiryEvent": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "summary": "not every kind of event needs one",
    },
    "enquiries.Export": {"by": "the actor is kept as text beside it, for when accounts go"},
    "enquiries.PrivateLink": {"name": "a link from before they had names"},
    "enquiries.OutgoingMessage": {"error": "a waiting mail may or may not have been tried"},
    "enquiries.ReplyTemplate": {
        "subject": "our own subject is used",
        "kept_because": "the claims guard found nothing",
    },
    "enquiries.ReplyTemplateEdition": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "subject": "our own subject was used",
        "kept_because": "the claims guard had found nothing",
    },
    "enquiries.WordingEdition": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "kept_because": "the claims guard found nothing",
    },
    "factsheets.SiteNotice": {"kept_because": "the claims guard found nothing"},
    "factsheets.TeamMember": {
        "role": "the name says enough",
        "number": "not everybody who works here is on a register",
        "register_link": "not every register shows its people",
        "account": "not everybody who works here signs in",
    },
    "factsheets.FactSheet": {
        "review_due_on": "a date to come, for sheets reviewed or not",
        "retire_on": "a day to come, where one is planned",
        "in_short": "a draft, until it is written",
        "lead_figure": "not every sheet begins with a drawing",
        "evidence_checked_on": "a check of the facts, by whoever made it, reviewed or not",
        "written_on": "only content that came with the site has it",
    },
    "factsheets.Statement": {
        "detail": "the claim says enough",
        "comparison": "many are compared with nothing named",
        "burden": "the ledger states no cost to the reader",
    },
    "factsheets.Approval": {"by": "the actor is kept as text beside it, for when accounts go"},
    "factsheets.SafetyDraft": {"note": "the list of changes says enough"},
    "factsheets.SafetyDraftEvent": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "what": "only a change of words needs it",
        "note": "only what is sent back needs a reason, which is checked when it is given",
    },
    "factsheets.SharedDraft": {
        "record": "it is not made yet",
        "note": "the list of changes says enough",
        "reason": "the claims guard found nothing",
    },
    "factsheets.SharedDraftEvent": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "what": "only a change of words needs it",
        "note": "only what is sent back needs a reason, which is checked when it is given",
    },
    "factsheets.SafetyEdition": {
        "by": "the actor is kept as text beside it, for when accounts go",
        "authors": "what came with the site has none here",
        "note": "the list of changes says enough",
    },
    "factsheets.Figure": {"credit": "the clinic's own drawings need none"},
    "factsheets.Picture": {"uploaded_by": "accounts go, and the picture stays"},
    "factsheets.SafetyAdvice": {
        "action": "the tier's advice is enough",
        "why": "for staff only",
    },
    "factsheets.Section": {"aspect": "only for machines that read the page"},
    "factsheets.WordList": {"note": "its words say enough"},
    "factsheets.Topic": {"summary": "the title says enough"},
    "factsheets.Source": dict.fromkeys(
        [
            "authors",
            "container",
            "publisher",
            "year",
            "detail",
            "identifier",
            "isbn",
            "accessed",
            "doi",
            "pmid",
            "pmcid",
            "url",
            "to_check",
        ],
        "given only where somebody has seen it",
    ),
}
# Columns with a list of choices that the database does not know.
ANY_CHOICE = {
    "factsheets.Section": {"aspect": "only for machines that read the page"},
    "factsheets.Source": {"kind": "a word in a reference list", "verification": "for editors"},
}
WHEN, WHO = ("_at", "_on", "_until"), ("_by",)


def columns(condition: Q) -> Iterator[str]:
    for part in condition.children:
        if isinstance(part, Q):
            yield from columns(part)
        else:
            yield part[0].split("__")[0]


def checked_together(model) -> list[set[str]]:
    """The columns of each check constraint."""
    return [set(columns(check.condition)) for check in model._meta.constraints if isinstance(check, CheckConstraint)]


def pairs(model) -> set[tuple[str, str]]:
    """Columns that tell when and by whom of the same thing: sent_at and sent_by."""
    names = [field.name for field in model._meta.concrete_fields]
    found = set()
    for when in names:
        for ending in WHEN:
            stem = when.removesuffix(ending)
            if stem != when:
                found |= {(when, f"{stem}{who}") for who in WHO if f"{stem}{who}" in names}
    return found


def may_be_empty(field) -> bool:
    if (
        field.primary_key
        or field.generated
        or (field.has_default() and not isinstance(field, models.CharField | models.TextField))
    ):
        return False
    if isinstance(field, EncryptedTextField) or getattr(field, "auto_now", False):
        return False  # the database cannot look into what is encrypted
    return field.null or field.blank


def unchecked(model, wanted) -> set[str]:
    checked = set().union(*checked_together(model))
    return {field.name for field in model._meta.concrete_fields if wanted(field) and field.name not in checked}


def test_the_walk_sees_our_models_and_their_pairs():
    labels = {model._meta.label for model in our_models()}
    assert {"enquiries.Enquiry", "enquiries.OutgoingMessage", "factsheets.FactSheet"} <= labels
    assert pairs(FactSheet) == {("reviewed_on", "reviewed_by")}
    assert {"sent_at", "claimed_by"} <= set().union(*checked_together(OutgoingMessage))


def test_when_and_by_whom_are_both_there_or_both_not():
    walked = 0
    for model in our_models():
        for pair in pairs(model):
            walked += 1
            alone = set(pair) & set(MAY_BE_EMPTY_ALONE.get(model._meta.label, {}))
            together = any(set(pair) <= check for check in checked_together(model))
            assert alone or together, f"{model._meta.label}: {pair}"
    assert walked >= 1


def test_a_column_that_may_be_empty_is_tied_to_what_makes_it_so():
    found = {model._meta.label: unchecked(model, may_be_empty) for model in our_models()}
    assert {label: names for label, names in found.items() if names} == {
        label: set(reasons) for label, reasons in MAY_BE_EMPTY_ALONE.items()
    }, "Add a check constraint, or the column with its reason to MAY_BE_EMPTY_ALONE."


def test_a_column_of_choices_takes_no_other_value():
    found = {model._meta.label: unchecked(model, lambda field: field.choices) for model in our_models()}
    assert {label: names for label, names in found.items() if names} == {
        label: set(reasons) for label, reasons in ANY_CHOICE.items()
    }, "Add a check constraint, or the column with its reason to ANY_CHOICE."
