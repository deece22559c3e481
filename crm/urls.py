"""Every address of the site; each app names its own first segments (``leads/``, ``queue/``)."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from crm.accounts.lockout import asked_too_often
from crm.accounts.views.closed import address_page_closed
from crm.common.middleware import failed

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # lock-out, TOTP
handler429 = asked_too_often  # allauth looks for this name
handler500 = failed

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/email/", address_page_closed, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("", include("crm.shell.urls")),
    path("", include("crm.accounts.urls")),
    path("", include("leads.urls")),
    path("", include("engagement.urls")),
    path("", include("scoring.urls")),
    path("", include("handoff.urls")),
    path("", include("crm.reports.urls")),
]

if settings.LOCAL:  # the demo company's website, to try the tracker with
    urlpatterns.append(path("sample-site/", include("crm.demo.site.urls")))
