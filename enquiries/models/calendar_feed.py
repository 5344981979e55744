import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone


def new_secret() -> str:
    return secrets.token_hex(16)


class CalendarFeed(models.Model):
    """The private address at which a colleague's calendar program reads the appointments: references and times, nothing more.

    With another secret the address is another, and the one before opens nothing (`enquiries/calendar_feed.py`).
    """

    staff = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="calendar_feed",
        editable=False,
    )
    secret = models.CharField(max_length=32, unique=True, default=new_secret, editable=False)
    only_mine = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"calendar of {self.staff}"
