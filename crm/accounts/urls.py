"""Addresses of people, teams, invitations and one's own settings."""

from django.urls import path

from crm.accounts.views import invitation, people, preferences, teams

app_name = "accounts"

urlpatterns = [
    path("people/", people.person_list, name="people"),
    path("people/invite/", people.person_invite, name="invite"),
    path("people/<int:user_id>/", people.person_edit, name="person"),
    path("people/<int:user_id>/deactivate/", people.person_deactivate, name="deactivate"),
    path("people/<int:user_id>/reactivate/", people.person_reactivate, name="reactivate"),
    path(
        "people/invitations/<int:invitation_id>/renew/",
        people.invitation_renew,
        name="invitation_renew",
    ),
    path(
        "people/invitations/<int:invitation_id>/withdraw/",
        people.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path("teams/", teams.team_list, name="teams"),
    path("teams/add/", teams.team_add, name="team_add"),
    path("teams/<int:team_id>/", teams.team_edit, name="team"),
    path("invitation/<str:token>/", invitation.accept_invitation, name="accept_invitation"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/theme/", preferences.theme, name="theme"),
]
