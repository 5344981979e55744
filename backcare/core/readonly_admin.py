from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[models.Model, models.Model]
else:
    TabularInline = admin.TabularInline


class ReadOnlyMixin:
    """A log, which can be read but not added to, changed or deleted from by hand."""

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
