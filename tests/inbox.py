"""What the tests of the inbox share: its list, a step of an enquiry as the desk sends it, and a flagged enquiry."""

from django.urls import reverse

from enquiries.models import Enquiry
from tests.conftest import consultation

LIST = reverse("admin:enquiries_enquiry_changelist")


def listed(client, **query) -> list:
    return [enquiry.pk for enquiry in client.get(LIST, query).context["cl"].result_list]


def step(client, enquiry, name: str, *, version=None, **typed):
    enquiry.refresh_from_db()
    data = {f"{name}-{field}": value for field, value in typed.items() if field not in {"send", "change"}}
    data |= {field: value for field, value in typed.items() if field in {"send", "change"}}
    data[f"{name}-version"] = version or enquiry.version
    return client.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, name]), data, follow=True)


def flagged(**changes) -> Enquiry:
    enquiry = consultation(**changes)
    Enquiry.objects.filter(pk=enquiry.pk).update(safety_signs="RF-E1")
    enquiry.refresh_from_db()
    return enquiry
