"""Shared by the tests about asking for somebody else: a daughter who asks for Bert."""

from django.test import Client

from enquiries.models import Enquiry
from tests.support.consultation_form import EVERYTHING, PATH, first_step, press

BERT = {name: EVERYTHING[name] for name in ("for_whom", "their_name", "they_are", "they_agree")}


def asked(**changes) -> Enquiry:
    """Sends an enquiry for Bert as a browser does."""
    client = Client()
    check = client.post(PATH, first_step(**(BERT | changes)))
    assert press(client, check, "send").status_code == 303
    return Enquiry.objects.exclude(for_agreed="").latest("created_at")
