"""Who may open enquiries, who is a clinician, who is away, and who can be given appointments."""

from datetime import date

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from enquiries.models import Absence
from factsheets.models import TeamMember

OPENS = "enquiries.view_enquiry"
# To the desk, a clinician is anyone who may read a self-assessment's answers (`backcare/staff/roles.py`).
CLINICIAN = "enquiries.read_answers_enquiry"


def may_open(user: User) -> bool:
    """Whether this account can open enquiries on the desk: it is active, staff, and has the permission."""
    return user.is_active and user.is_staff and user.has_perm(OPENS)


def who_may_open() -> QuerySet:
    """Everyone who can open enquiries on the desk: the people an enquiry can be assigned to."""
    return get_user_model().objects.with_perm(OPENS).filter(is_active=True, is_staff=True).order_by("username")


def _can() -> Q:
    return Q(pk__in=who_may_open().order_by().values("pk"))


def clinicians() -> QuerySet:
    """The clinicians among them who have an email address."""
    readers = get_user_model().objects.with_perm(CLINICIAN).values("pk")
    return who_may_open().filter(pk__in=readers).exclude(email="")


def away(day: date) -> QuerySet[User]:
    """People whose work others look after: colleagues who are away on that day, and those who can no longer open enquiries."""
    return get_user_model().objects.filter(~_can() | Q(pk__in=Absence.objects.on(day).values("staff")))


def sees_patients() -> QuerySet[TeamMember]:
    """The people who work here, with or without an account. Those off the public pages count only while their account is in use."""
    return TeamMember.objects.filter(Q(shown=True) | Q(account__in=who_may_open().order_by().values("pk")))


def left_behind() -> QuerySet[User]:
    """People who can no longer open enquiries but still have open ones, each with their `number`."""
    mine = Q(enquiries__live=True)
    cannot = get_user_model().objects.filter(~_can(), is_staff=True)
    return (
        cannot.annotate(number=Count("enquiries", filter=mine)).filter(number__gt=0).order_by("first_name", "username")
    )
