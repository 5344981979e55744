"""Our own models, for tests that go through all of them."""

from django.apps import apps
from django.db import models

OURS = ("enquiries", "factsheets")


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]
