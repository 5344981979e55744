from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from backcare.core.encryption import CannotDecrypt

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[models.Model, models.Model]
else:
    TabularInline = admin.TabularInline


class ReadOnlyMixin:
    """A log: it can be read, and nobody adds to it, changes it or deletes from it by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    template = "admin/readonly_inline.html"
    extra = 0
    can_delete = False
    show_change_link = False


def opened(instance: models.Model, name: str, *, nothing: str = "–") -> str:
    """An encrypted text, or a sentence that says it cannot be opened: one broken value must not hide the page.

    `nothing` is what to say of an empty one.
    """
    try:
        return getattr(instance, name) or nothing
    except CannotDecrypt as error:
        return f"This text cannot be opened: {error}. Tell the clinic owner before you change anything."
