import json
import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from backcare.core.encryption import EncryptedTextField


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def over(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)


class Assessment(models.Model):
    """A finished self-assessment that a patient chose to send with an enquiry, and their consent.

    It holds the result as they saw it and their answers in words, so a later version of the questions or red flags cannot change
    what it says. It is deleted when its time is over, when they ask, or with the enquiry's details.
    """

    # The summary's link is made from this, not from the enquiry's own key.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enquiry = models.OneToOneField(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="assessment", editable=False
    )
    told = EncryptedTextField("result and answers, as JSON")
    questions_version = models.CharField(max_length=40, editable=False)
    consent_version = models.CharField(max_length=20, editable=False)
    expires_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="assessment_expires")]
        constraints = [
            models.CheckConstraint(condition=~Q(consent_version=""), name="assessment_has_consent"),
        ]

    def __str__(self):
        return f"Answers given with {self.enquiry.reference}"

    @property
    def result(self) -> dict:
        """The result as `enquiries.assessment.result.shown` gave it."""
        return json.loads(self.told)["result"]

    @property
    def answers(self) -> list[dict]:
        """Every question with its answers in words, as `enquiries.assessment.result.played_back` gave them."""
        return json.loads(self.told)["answers"]
