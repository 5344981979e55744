from django import template

from enquiries.request_forms.consultation import WHO, ConsultationForm
from enquiries.request_forms.form_state import FormState
from enquiries.request_forms.forms import ReportForm
from factsheets.models import FactSheet

register = template.Library()


@register.inclusion_tag("enquiries/_request_forms.html", takes_context=True)
def request_forms(context, sheet: FactSheet):
    """The forms at the foot of a sheet, each behind a button: its report by email, and a consultation."""
    initial = {"sheet": sheet.slug}
    state = FormState(typed={"sheet": [sheet.slug]})
    consultation = ConsultationForm(prefix="consultation", action="/consultation/")
    consultation.show(WHO, state.hidden("consultation", WHO))
    return {
        "sheet": sheet,
        "clinic": context["clinic"],
        "report_form": ReportForm(prefix="report", action="/report/", initial=initial),
        "consultation_form": consultation,
    }
