"""The addresses of an enquiry's own pages, beside those that Django's admin has."""

from functools import partial

from django.urls import path
from django.views.decorators.http import require_POST

from enquiries.admin import (
    agreement,
    appointments,
    corrections,
    duplicates,
    export,
    fold,
    new_link,
    new_request,
    reading,
)

# Where something is only done and nothing shown, the last word is True: then a GET is refused.
PAGES = [
    ("appointments/", "appointments", appointments.appointments, False),
    ("appointments/calendar/", "calendar", appointments.calendar, False),
    ("<uuid:pk>/appointment-outcome/", "appointment_outcome", appointments.record_outcome, True),
    ("new/", "new", new_request.new_request, False),
    ("new/same/", "same_person", new_request.same_person, True),
    ("export/", "export", export.page, False),
    ("fold/<uuid:flood>/", "fold", fold.settle, False),
    ("<uuid:pk>/same-as/", "same_as", duplicates.same_as, False),
    ("<uuid:pk>/correct/", "correct", corrections.correct, False),
    ("<uuid:pk>/another/", "another", duplicates.another, True),
    ("<uuid:pk>/they-agree/", "they_agree", agreement.they_agree, True),
    ("<uuid:pk>/new-link/", "new_link", new_link.send_new_link, True),
    ("<uuid:pk>/words/", "words", reading.show_words, True),
]


def urls(model_admin) -> list:
    wrap = model_admin.admin_site.admin_view
    found = []
    for address, name, view, only_does in PAGES:
        page = partial(view, model_admin)
        page = wrap(require_POST(page) if only_does else page)
        found.append(path(address, page, name=f"enquiries_enquiry_{name}"))
    return found
