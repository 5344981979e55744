"""Everything held about one person, found by an email address or a number and given to them as one file.

UK GDPR, Articles 15 and 20 (a copy of it all) and 17 (erasure: `actions.erasure`). What is looked through is not a list kept
by hand: it is every table that the register of personal data names as holding data of patients.
"""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, Model, Q, QuerySet

from backcare.core import blind_index, phones
from backcare.core.encryption import CannotDecrypt
from enquiries import abuse
from enquiries.models import Enquiry, StoppedAddress
from enquiries.privacy import register

INTRODUCTION = (
    "This is everything that our website holds about you. “held” has a part for each of our tables: what it is for, what each "
    "column means, how long we keep it, and what is in it."
)


def find(typed: str) -> list[Enquiry]:
    """Every enquiry with this email address or phone number, in any spelling, and those that staff linked with them."""
    found = set(Enquiry.objects.filter(_sent_with(typed)).values_list("pk", flat=True))
    while linked := set(_linked(found).values_list("pk", flat=True)) - found:
        found |= linked
    return list(Enquiry.objects.filter(pk__in=found).select_related("sheet", "owner").order_by("created_at", "pk"))


def _sent_with(typed: str) -> Q:
    if "@" in typed:
        return Q(email_key__in=blind_index.email_keys(typed))
    return Q(phone_key__in=blind_index.phone_keys(phones.e164(typed)))


def _linked(found: set[UUID]) -> QuerySet[Enquiry]:
    return Enquiry.objects.filter(Q(same_as__in=found) | Q(linked__in=found))


def rows(table: register.Table, enquiries: list[Enquiry]) -> QuerySet[Any]:
    """A table's rows for these enquiries. Raises TypeError for a table that does not say whose its rows are."""
    model = table.model
    if model is Enquiry:
        return Enquiry.objects.filter(pk__in=[each.pk for each in enquiries]).order_by("created_at", "pk")
    if model is StoppedAddress:
        return StoppedAddress.objects.filter(key__in=_stop_keys(enquiries)).order_by("pk")
    for field in model._meta.concrete_fields:
        if field.related_model is Enquiry:
            return model._base_manager.filter(**{f"{field.name}__in": enquiries}).order_by("pk")
    raise TypeError(f"{table.name} holds data of patients, and no column that says of which enquiry.")


def _stop_keys(enquiries: list[Enquiry]) -> set[str]:
    found = set()
    for each in enquiries:
        with suppress(CannotDecrypt):
            found |= set(abuse.stop_keys(each.email)) if each.email else set()
    return found


def held(enquiries: list[Enquiry], *, now: datetime) -> dict[str, Any]:
    """One document with every column of every row, for the person. `now` is when it was made."""
    named = register.periods()
    return {
        "about": INTRODUCTION,
        "made_at": now,
        "references": [each.reference for each in enquiries],
        "held": [
            {
                "table": table.title,
                "name": table.name,
                "about": table.about,
                "columns": {
                    name: {
                        "what": each.what,
                        "why": each.why,
                        "legal basis": each.basis,
                        "kept": each.ends.format(**named),
                    }
                    for name, each in table.personal.items()
                },
                "rows": [_values(row) for row in rows(table, enquiries)],
            }
            for table in register.about("patients")
        ],
    }


def as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def _values(row: Model) -> dict[str, Any]:
    """Every column. A text that cannot be decrypted says so, and the others are still given."""
    found: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        try:
            value = getattr(row, field.attname)
        except CannotDecrypt as error:
            value = f"(it cannot be opened: {error})"
        if isinstance(field, ForeignKey) and value is not None and field.related_model is not Enquiry:
            value = str(getattr(row, field.name))  # a name says more than our own number
        found[str(field.column)] = value
    return found
