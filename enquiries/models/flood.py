from django.db import models


class FloodMark(models.Model):
    """For an hour: by what an enquiry with a warning sign is like others. A keyed hash, used by enquiries/flood.py alone."""

    enquiry = models.ForeignKey("enquiries.Enquiry", on_delete=models.CASCADE, related_name="+", editable=False)
    key = models.CharField(max_length=64, db_index=True, editable=False)
    # After this moment the row counts for nothing, and is removed.
    until = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "key"], name="flood_mark_once")]

    def __str__(self):
        return f"a mark of {self.enquiry_id}"
