"""Which members of staff may open enquiries, which are clinicians, and who is away."""

from datetime import date

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from enquiries.models import Absence

OPENS = "enquiries.view_enquiry"
# To the desk, a clinician is anyone who may read a self-assessment's answers (`backcare/staff/roles.py`).
CLINICIAN = "enquiries.read_answers_enquiry"


def may_open(user: User) -> bool:
    """Whether this account can open enquiries on the desk: it is active, staff, and has the permission."""
    return user.is_active and user.is_staff and user.has_perm(OPENS)


def who_may_open() -> QuerySet:
    """Everyone who can open enquiries on the desk: the people an enquiry can be assigned to."""
    return get_user_model().objects.with_perm(OPENS).filter(is_active=True, is_staff=True).order_by("username")


def clinicians() -> QuerySet:
    """Those of them who are clinicians and can be reached by email."""
    readers = get_user_model().objects.with_perm(CLINICIAN).values("pk")
    return who_may_open().filter(pk__in=readers).exclude(email="")


def away(day: date) -> QuerySet[User]:
    """Whose open work others look after: colleagues who are away on that day, and those who can no longer open enquiries."""
    cannot = ~Q(pk__in=who_may_open().order_by().values("pk"))
    return get_user_model().objects.filter(cannot | Q(pk__in=Absence.objects.on(day).values("staff")))
