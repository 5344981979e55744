from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class PictureManager(models.Manager):
    def get_by_natural_key(self, digest: str) -> "Picture":
        return self.get(digest=digest)


class Picture(models.Model):
    """A picture that an editor uploaded, re-encoded. Its files are kept in the database.

    That way every backup and every web server has them.
    """

    digest = models.CharField(
        max_length=32,
        unique=True,
        editable=False,
        help_text="The start of the SHA-256 of the pixels; names the address.",
    )
    width = models.PositiveIntegerField(editable=False, help_text="Pixels, of the largest file.")
    height = models.PositiveIntegerField(editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PictureManager()

    class Meta:
        ordering = ["-uploaded_at"]

    def __str__(self):
        return f"Uploaded picture, {self.width} × {self.height} pixels ({self.digest[:6]})"

    @classmethod
    def natural_key_lookups(cls) -> list[str]:
        return ["digest"]

    def natural_key(self) -> tuple[str]:
        return (self.digest,)


class PictureFile(models.Model):
    """One size of a picture in one format, as it is sent."""

    class Format(models.TextChoices):
        WEBP = "webp", "WebP"
        JPEG = "jpg", "JPEG"

    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="files", editable=False)
    width = models.PositiveIntegerField(editable=False)
    format = models.CharField(max_length=4, choices=Format, editable=False)
    data = models.BinaryField(editable=False)

    class Meta:
        ordering = ["picture", "format", "width"]
        constraints = [
            models.UniqueConstraint(fields=["picture", "width", "format"], name="picture_file_once"),
            models.CheckConstraint(condition=Q(format__in=["webp", "jpg"]), name="picture_file_known_format"),
        ]

    def __str__(self):
        return f"{self.picture.digest}-{self.width}.{self.format}"
