"""Settings of every Baton process, from the environment.

``BATON_MODE=local`` (set by ``./baton`` and, when unset, by ``manage.py``) fills what is missing
with the embedded servers and a generated key. Any other start is production: every value must be
named by the environment, and one message lists all that are missing.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from environs import Env

from crm.environment import broker_url, database_options, networks, required_values

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
LOCAL = env.str("BATON_MODE", "production") == "local"

if LOCAL:
    from crm.embedded import location

    _defaults = {
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "EMAIL_URL": "console:",
        "DEFAULT_FROM_EMAIL": "Baton <baton@localhost>",
        "PUBLIC_URL": "http://localhost:8000",
        "COLLECTOR_URL": "http://localhost:8001",
    }
    _computed: dict[str, Callable[[], str]] = {
        "SECRET_KEY": location.secret_key,
        "DATABASE_URL": location.database_url,
        "REDIS_URL": location.redis_url,
        "BATON_MEDIA_ROOT": lambda: str(location.state_dir() / "media"),
        "BATON_SPOOL": lambda: str(location.state_dir() / "spool"),
    }
    for _name, _value in _defaults.items():
        os.environ.setdefault(_name, _value)
    for _name, _compute in _computed.items():
        if not os.environ.get(_name):
            os.environ[_name] = _compute()

_values = required_values()
SECRET_KEY = _values["SECRET_KEY"]
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS")
PUBLIC_URL = _values["PUBLIC_URL"].rstrip("/")
COLLECTOR_URL = _values["COLLECTOR_URL"].rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
#: Hosts of the own network that webhooks may call; all others must be public.
OUTGOING_PRIVATE_HOSTS: list[str] = env.list("OUTGOING_PRIVATE_HOSTS", [])
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _values["DEFAULT_FROM_EMAIL"]

DEBUG = False
TESTING = env.bool("BATON_TESTING", False)

INSTALLED_APPS = [
    "crm.accounts",
    "crm.common",
    "leads",
    "engagement",
    "scoring",
    "handoff",
    "crm.reports",
    "crm.shell",
    "crm.demo",
    "crm.embedded",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "crispy_bootstrap5",
    "crispy_forms",
    "csp",
    "django_htmx",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "crm.accounts.middleware.ViewerTimeZoneMiddleware",
    "crm.accounts.middleware.WayBackMiddleware",
    "axes.middleware.AxesMiddleware",
    "crm.common.middleware.TryAgainMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.shell.context.shell",
            ],
            "builtins": ["crm.common.templatetags.addresses"],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = {
    "default": {
        **env.dj_db_url("DATABASE_URL"),
        "OPTIONS": database_options(pool_size=env.int("DATABASE_POOL_SIZE", 8)),
        "ENGINE": "crm.common.postgres",
        "TEST": {"NAME": env.str("BATON_TEST_DB", "test_baton")},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Holds only what guards the login (rate limits, used one-time codes), so it outlives Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "common_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Celery: messages are wake-ups, the database is the queue and the clock -----------------------
CELERY_BROKER_URL = broker_url(_values["REDIS_URL"])
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600  # seconds: it is over before the broker hands the task out again
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "bulk"

# --- Collector ------------------------------------------------------------------------------------
COLLECTOR_SPOOL = env.path("BATON_SPOOL", BASE_DIR / ".baton" / "spool")
COLLECTOR_SPOOL_BYTES = env.int("COLLECTOR_SPOOL_BYTES", 1024**3)
COLLECTOR_BYTES_IN_FLIGHT = env.int("COLLECTOR_BYTES_IN_FLIGHT", 16 * 1024**2)
COLLECTOR_PROXIES: list[str] = env.list("COLLECTOR_PROXIES", [])

# --- People ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "crm.common.sessions.LoginBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "shell:home"
ACCOUNT_ADAPTER = "crm.accounts.adapter.InvitationOnlyAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {
    "login": "crm.accounts.login_forms.LoginForm",
    "reset_password": "crm.accounts.login_forms.ResetPasswordForm",
    "reset_password_from_key": "crm.accounts.login_forms.ResetPasswordKeyForm",
    "change_password": "crm.accounts.login_forms.ChangePasswordForm",
    "reauthenticate": "crm.accounts.login_forms.ReauthenticateForm",
}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # invitations prove the address; nobody registers themselves
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "5/15m/key"}  # of one-time codes; axes counts passwords
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "crm.accounts.login_forms.CodeForm",
    "reauthenticate": "crm.accounts.login_forms.CodeAgainForm",
    "activate_totp": "crm.accounts.login_forms.ActivateCodesForm",
}
MFA_TOTP_ISSUER = "Baton"
MFA_TOTP_TOLERANCE = 1  # RFC 6238: one step, for phones whose clock is a little off
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "crm.accounts.lockout.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "crm.accounts.lockout.attempted_address"
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_CLIENT_IP_CALLABLE = "crm.accounts.lockout.place_of"
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROXY_COUNT", 0)
SESSION_ENGINE = "crm.common.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
INVITATION_LIFETIME = timedelta(days=7)

# --- Time and language ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.str("BATON_TIME_ZONE", "UTC")

# --- Files ----------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.path("BATON_STATIC_ROOT", BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "crm.common.static_files.HashedFiles"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nothing of ours is read by scripts of other sites
WHITENOISE_USE_FINDERS = TESTING
WHITENOISE_AUTOREFRESH = TESTING  # each test client would list all files anew
MEDIA_ROOT = env.path("BATON_MEDIA_ROOT", BASE_DIR / ".baton" / "media")
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- Mail -----------------------------------------------------------------------------------------
_mail = env.dj_email_url("EMAIL_URL")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10

# --- Tracking -------------------------------------------------------------------------------------
#: Networks from which only machines send, such as those of data centres.
HOSTING_NETWORKS = networks(env.list("HOSTING_NETWORKS", []))
#: Days after which refused messages, submissions and their counts are removed; our choice.
KEEP_REFUSED_DAYS = env.int("KEEP_REFUSED_DAYS", 90)

# --- Security -------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https and env.bool("BATON_SSL_REDIRECT", True)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BATON_BEHIND_PROXY", False) else None
)
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("BATON_LOG_LEVEL", "INFO")},
    "loggers": {"axes": {"level": "WARNING"}},  # it reports every good login in four lines
}
