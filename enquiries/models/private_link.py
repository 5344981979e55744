from django.db import models
from django.utils import timezone


class PrivateLink(models.Model):
    """A private link that was tried with a wrong email address: how often, so that guessing ends (enquiries/private_links.py).

    `name` tells the links of one enquiry apart: each mail brings another. Most links are never tried wrongly, and have no row.
    """

    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="private_links", editable=False
    )
    name = models.CharField(max_length=8, blank=True, editable=False)
    wrong_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    last_wrong_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "name"], name="private_link_once")]

    def __str__(self):
        return f"{self.wrong_tries} wrong tries"
