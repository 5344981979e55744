from django.contrib import admin

from backcare.core.crypto.encryption import CannotDecrypt


class ReadOnlyMixin:
    """A log: it can be read, and nobody adds to it, changes it or deletes from it by hand."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(ReadOnlyMixin, admin.TabularInline):
    template = "admin/readonly_inline.html"
    extra = 0
    can_delete = False
    show_change_link = False


def opened(instance, name: str) -> str:
    """An encrypted text, or a sentence that says it cannot be opened: one broken value must not hide the page."""
    try:
        return getattr(instance, name) or "–"
    except CannotDecrypt as error:
        return f"This text cannot be opened: {error}. Tell the clinic owner before you change anything."
