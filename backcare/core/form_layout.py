"""How our forms are sent: by POST, without a token, with our own messages in place of the browser's."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString


class Carried:
    """Hidden fields that take along what was typed before. A part of a crispy layout."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def render(self, form: forms.Form, context: Any, **kwargs: Any) -> SafeString:
        return format_html_join("\n", '<input type="hidden" name="{}" value="{}">', self.pairs)


def posted(form: forms.Form, action: str, *parts: Any, **attributes: str) -> FormHelper:
    """The crispy helper of a form that is posted to `action`, with its parts in order."""
    helper = FormHelper(form)
    helper.form_action = action
    helper.form_method = "post"
    helper.disable_csrf = True  # same-origin is checked from the request's headers: no cookie, no token
    helper.attrs = {"novalidate": "", **attributes}
    helper.layout = Layout(*parts)
    return helper
