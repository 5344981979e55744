import secrets

from django.db import models


class ContentVersion(models.Model):
    """One row that changes whenever any content does, in the same transaction. Kept pages hold for one token only.

    A random token and not a number: a database put back from a backup must never look like a state that was seen before.
    """

    token = models.CharField(max_length=16)

    def __str__(self):
        return self.token

    @classmethod
    def now(cls) -> str:
        """The token of the content as it stands. Empty before anything was loaded."""
        return cls.objects.filter(pk=1).values_list("token", flat=True).first() or ""

    @classmethod
    def changed(cls) -> None:
        token = secrets.token_hex(8)
        if not cls.objects.filter(pk=1).update(token=token):
            cls.objects.bulk_create([cls(pk=1, token=token)], ignore_conflicts=True)
