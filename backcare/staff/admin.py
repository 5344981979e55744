"""Staff accounts have pages of their own (account_pages.py): Django's forms for users and permissions are not on the desk."""

import django.contrib.auth.admin  # noqa: F401 - registers what is taken off here
from django.contrib import admin
from django.contrib.auth.models import Group, User

admin.site.unregister([Group, User])
