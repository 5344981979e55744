"""All settings, from the environment. Safe for production unless BACKCARE_LOCAL=1 says that this is a local run.

docs/operations.md lists every variable. `backcare/ops/checks.py` names what a deployment still lacks.
"""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from backcare.config import static
from backcare.core import environment as env
from backcare.core.encryption import new_key

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()

# A local run uses plain http on this machine and makes its own secrets. Everything else is the same.
LOCAL = env.flag("BACKCARE_LOCAL")
DEBUG = env.flag("DEBUG")
PORT = env.number("PORT", default=8000, least=1, most=65535)

SECRET_KEY = env.secret("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = [key for key in env.secret("FIELD_ENCRYPTION_KEYS").split(",") if key.strip()]
if LOCAL:
    SECRET_KEY = SECRET_KEY or env.kept_secret(DATA_DIR / "secret_key")
    FIELD_ENCRYPTION_KEYS = FIELD_ENCRYPTION_KEYS or [env.kept_secret(DATA_DIR / "encryption_key", new_key)]
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing. Set it to a long random text, or set BACKCARE_LOCAL=1 for a local run."
    )

BASE_URL = env.text("BASE_URL", f"http://127.0.0.1:{PORT}" if LOCAL else "").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

# --- the clinic -------------------------------------------------------------------------------------------------

# The clinic's first settings. A migration writes them into the row that an owner then edits (backcare/core/models.py). After that
# nothing reads these variables, and `check --deploy` says which of them are set.
CLINIC_AT_FIRST: dict[str, Any] = {
    "name": env.text("CLINIC_NAME"),
    "phone": env.text("CLINIC_PHONE"),
    "email": env.text("CLINIC_EMAIL"),
    "inbox_email": env.text("CLINIC_INBOX_EMAIL"),
    "reply_to_email": env.text("REPLY_TO_EMAIL"),
    "address": env.text("CLINIC_ADDRESS"),
    "prices": "\n".join(env.words("CLINIC_PRICES", between=";")),
    "interest_statement": env.text("CLINIC_INTEREST_STATEMENT"),
    "report_retention_days": env.number("REPORT_RETENTION_DAYS", default=30, least=1, most=365),
    "enquiry_retention_months": env.number("ENQUIRY_RETENTION_MONTHS", default=12, least=1, most=120),
    "content_licence": env.text("CONTENT_LICENCE"),
}
CLINIC_VARIABLES = [
    *("CLINIC_NAME", "CLINIC_PHONE", "CLINIC_EMAIL", "CLINIC_INBOX_EMAIL", "REPLY_TO_EMAIL", "CLINIC_ADDRESS"),
    *("CLINIC_PRICES", "CLINIC_INTEREST_STATEMENT", "REPORT_RETENTION_DAYS", "ENQUIRY_RETENTION_MONTHS"),
    *("CONTENT_LICENCE", "CLINIC_PEOPLE", "DEFAULT_FROM_EMAIL", "DAILY_DIGEST"),
]
# The same for the sender of emails and the morning summary of the inbox. Another migration reads these two.
SENDER_AT_FIRST = env.text("DEFAULT_FROM_EMAIL")
DAILY_DIGEST_AT_FIRST = env.flag("DAILY_DIGEST", default=True)
# Who works at the clinic, for the migration that makes records of them.
CLINIC_PEOPLE_AT_FIRST = env.words("CLINIC_PEOPLE", between=";")
# Limits for forms (docs/threat-model.md, A1). enquiries/abuse.py says what happens beyond them.
MAX_MAILS_PER_ADDRESS_PER_DAY = env.number("MAX_MAILS_PER_ADDRESS_PER_DAY", default=3, least=1)
MAX_FORMS_PER_SENDER_PER_HOUR = env.number("MAX_FORMS_PER_SENDER_PER_HOUR", default=10, least=1)
MAX_FORMS_PER_HOUR = env.number("MAX_FORMS_PER_HOUR", default=200, least=1)
# For one sender, including what is set aside. Beyond this a form is refused, with a page that says to phone.
MAX_FORMS_PER_SENDER_BEFORE_REFUSAL = env.number("MAX_FORMS_PER_SENDER_BEFORE_REFUSAL", default=60, least=1)
# With a warning sign, from one sender, for one mailbox or in one wording. Any more share a row in the safety queue.
MAX_FLAGGED_ALIKE_PER_HOUR = env.number("MAX_FLAGGED_ALIKE_PER_HOUR", default=3, least=3)
# Rows in "Spam" and "Held back". Beyond this, only a sender's first form is set aside, and others are refused.
MAX_SET_ASIDE = env.number("MAX_SET_ASIDE", default=5000, least=1)

# Outside a local run the self-assessment is shown only while a clinician's approval covers it (factsheets/approvals.py). There is
# no setting to turn that off; a local run may turn it on, to see what patients would.
CHECK_NEEDS_APPROVAL = not LOCAL or env.flag("CHECK_NEEDS_APPROVAL")

# --- application ------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "backcare.core.apps.CoreConfig",
    "backcare.ops.apps.OpsConfig",
    "backcare.staff.apps.StaffConfig",
    "factsheets.apps.FactsheetsConfig",
    "enquiries.apps.EnquiriesConfig",
    "crispy_forms",
    "csp",
    "modern_csrf",
    "django_otp",
    "backcare.staff.apps.StaffDeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    # Renders Django's own form widgets through our templates folder.
    "django.forms",
]

MIDDLEWARE = [
    "backcare.config.middleware.RequestGuardMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backcare.config.middleware.DatabaseTroubleMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "backcare.config.middleware.MistypedAddressMiddleware",
    "django.middleware.common.CommonMiddleware",
    "backcare.config.middleware.SameOriginMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "backcare.staff.sessions.SessionLimitsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
]

ROOT_URLCONF = "backcare.config.urls"
WSGI_APPLICATION = "backcare.config.wsgi.application"
CSRF_FAILURE_VIEW = "backcare.config.errors.csrf_failure"

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
                "backcare.config.context.clinic",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "form_pack"
CRISPY_TEMPLATE_PACK = "form_pack"

# --- database ---------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'backcare.sqlite3'}")}
# A new connection for each request costs 20 % of SQLite's form throughput and 69 % of PostgreSQL's (measured).
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "backcare.core.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,  # seconds
        # In simulated power cuts, FULL lost nothing and NORMAL did. secure_delete overwrites erased rows.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON",
    }
    # A file, so that worker processes in tests see the same database as the tests.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- backups and health (backcare/ops) ------------------------------------------------------------------------------

# If a folder is set, backups are expected, and /healthz reports a late one.
BACKUPS_EXPECTED = bool(env.text("BACKUP_DIR"))
BACKUP_DIR = Path(env.text("BACKUP_DIR", str(DATA_DIR / "backups"))).resolve()
BACKUP_KEEP = env.number("BACKUP_KEEP", default=14)  # files
BACKUP_LATE_AFTER = env.number("BACKUP_LATE_AFTER", default=26, least=1)  # hours: a day, and two to spare
# Public keys of age, and a command that takes each backup off this machine (backups/offsite.py).
BACKUP_RECIPIENTS = env.words("BACKUP_RECIPIENTS")
if any(each.upper().startswith("AGE-SECRET-KEY-") for each in BACKUP_RECIPIENTS):
    raise ImproperlyConfigured(
        "BACKUP_RECIPIENTS holds a private key. Keep that elsewhere, and set the public one, age1…."
    )
BACKUP_HOOK = env.text("BACKUP_HOOK")
MIN_DISK_MB = env.number("MIN_DISK_MB", default=500)
MIN_DISK_PERCENT = env.number("MIN_DISK_PERCENT", default=5, most=99)

# --- mail -------------------------------------------------------------------------------------------------------

MAIL_DIR = DATA_DIR / "mail"
EMAIL_URL = env.secret("EMAIL_URL")
if EMAIL_URL:
    vars().update(env.mail_server(EMAIL_URL))
    EMAIL_TIMEOUT = 20  # seconds for each step
else:
    # `manage.py check --deploy` refuses this outside a local run.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR

# --- what a browser may do --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not LOCAL
SECURE_HSTS_SECONDS = 0 if LOCAL else 31_536_000  # one year
SECURE_HSTS_INCLUDE_SUBDOMAINS = not LOCAL
SILENCED_SYSTEM_CHECKS = [
    # Joining the browsers' preload list is the domain owner's decision, and hard to undo.
    "security.W021",
    # SameOriginMiddleware replaces it in MIDDLEWARE (tests/config/test_request_guard.py posts across sites).
    "security.W003",
]
if env.flag("BEHIND_TLS_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many of our own proxies in front write X-Forwarded-For. backcare/core/limits.py believes only their entries.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, most=10)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_NAME = "sessionid" if LOCAL else "__Host-sessionid"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Set by Django's admin; the same-origin check (SameOriginMiddleware) never reads it.
CSRF_COOKIE_NAME = "csrftoken" if LOCAL else "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: one working day

# Minutes without a request after which a member of staff is signed out (backcare/staff/sessions.py).
STAFF_IDLE_MINUTES = env.number("STAFF_IDLE_MINUTES", default=15, least=2, most=60)
# Staff also sign in with a code from their phone, except for the demo's accounts, whose passwords `make run` prints.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", default=not LOCAL)
# The clinic's own provider (OpenID Connect), through which staff may also sign in (backcare/staff/provider.py). Off unless set.
OIDC_ISSUER = env.text("OIDC_ISSUER")  # as its tokens name it, such as https://login.example.com/tenant
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET")
OIDC_NAME = env.text("OIDC_NAME", "your work account")  # on the button: “Sign in with …”
# The token must name one of these methods (claim "amr"), such as mfa. If empty, the provider is trusted to ask for two factors.
OIDC_AMR = env.words("OIDC_AMR")

# Whether `check_links` may request addresses inside a private network. Only tests set it.
LINK_CHECK_PRIVATE_ADDRESSES = False

# Our longest honest form is about 6 KB. Anything larger than this is refused before it is parsed.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# The editors' desk has a whole sheet in one form.
ADMIN_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes
# The forms for a figure, a person and the clinic take a picture, and explain that one of over 10 MB is too large. A larger body
# never gets that far.
FIGURE_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024  # bytes

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- static files -----------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "backcare.config.static.Storage"},
}
WHITENOISE_ADD_HEADERS_FUNCTION = static.headers
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- language, time, log ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = False
FORMAT_MODULE_PATH = "backcare.config.formats"
USE_TZ = True

# Logs never contain what a person typed or a stranger sent, only references, states and error classes.
# For a monitor that reads /metrics. Without it, the page does not exist.
METRICS_TOKEN = env.secret("METRICS_TOKEN")

# Where errors are also reported, in the words of our log (ops/error_reporting.py). Nowhere if empty.
SENTRY_DSN = env.secret("SENTRY_DSN")

LOG_FORMAT = env.text("LOG_FORMAT", "line")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured(f"LOG_FORMAT is “{LOG_FORMAT}”. Set it to line or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "backcare.ops.logs.PlainLine",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "backcare.ops.logs.JsonLine"},
    },
    "filters": {
        "no_values": {"()": "backcare.ops.logs.WithoutRequestValues"},
        "cut_off": {"()": "backcare.ops.logs.CutOff"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["no_values", "cut_off"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django's default would email whole requests to ADMINS, including posted values.
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
if SENTRY_DSN:
    LOGGING["handlers"]["reports"] = {
        "()": "backcare.ops.error_reporting.Reporter",
        "dsn": SENTRY_DSN,
        "filters": ["no_values", "cut_off"],
    }
    LOGGING["root"]["handlers"].append("reports")
    LOGGING["loggers"]["django"]["handlers"].append("reports")
