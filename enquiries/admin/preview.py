"""For forms whose words patients will read: “Preview” shows them unsaved, “Save with the default text” puts the default back."""

from typing import Any

from django import forms

PREVIEW, DEFAULT = "_preview", "_default"  # the buttons


class PreviewForm(forms.ModelForm):
    """Saves nothing for a preview. Its instance then has what was typed, if that is valid."""

    def is_valid(self) -> bool:
        is_good = super().is_valid()
        is_preview = PREVIEW in self.data
        self.instance.previewed = is_preview and is_good
        return is_good and not is_preview


class PreviewAdmin:
    """Comes before Django's ModelAdmin. The field `preview` of its page shows what `previewed` holds."""

    change_form_template = "admin/enquiries/preview.html"

    def default_words(self, pk: str) -> dict[str, str]:
        """The default of each field that has one. Empty if none has."""
        raise NotImplementedError

    def changeform_view(self, request, object_id=None, form_url="", extra_context: dict[str, Any] | None = None):
        default = self.default_words(object_id) if object_id else {}
        if default and DEFAULT in request.POST:
            request.POST = request.POST.copy()
            for name, words in default.items():
                request.POST[name] = words
            request.POST["_continue"] = "1"  # to the same page
        context = {"has_default": bool(default), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)
