from django import forms

from enquiries.models import Enquiry


class StepForm(forms.Form):
    """What every step carries: the version of the enquiry that the page showed."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    button: str
    heading: str

    def act(self, enquiry: Enquiry, by) -> str:
        """Does it, and returns what to tell the member of staff."""
        raise NotImplementedError

    @classmethod
    def start(cls, enquiry: Enquiry) -> dict:
        """The values with which its fields begin."""
        return {"version": enquiry.version}
