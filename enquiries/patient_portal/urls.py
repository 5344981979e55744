from django.urls import path

from enquiries.patient_portal import reminder, views

urlpatterns = [
    path("erased/", views.erased, name="manage_erased"),
    path("<str:token>/", views.opened, name="manage"),
    path("<str:token>/no-reminder/", reminder.no_reminder, name="no_reminder"),
    path("<str:token>/times/", views.times, name="manage_times"),
    path("<str:token>/add/", views.add, name="manage_add"),
    path("<str:token>/withdraw/", views.withdraw, name="manage_withdraw"),
    path("<str:token>/erase/", views.erase, name="manage_erase"),
]
