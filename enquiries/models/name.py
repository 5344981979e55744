from django.db import models


class NameWord(models.Model):
    """A word of a patient's name as a keyed hash, so that staff can find "Ada" without anybody opening every row."""

    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="name_words", editable=False
    )
    key = models.CharField(max_length=64, db_index=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "key"], name="name_word_once")]

    def __str__(self):
        return f"a word of {self.enquiry_id}"
