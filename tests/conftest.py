import gc
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from whitenoise import WhiteNoise

from backcare.core.models import ClinicSettings, ClinicSettingsEdition
from backcare.staff import totp
from enquiries.actions import intake
from enquiries.models import ClinicHours, Enquiry, EnquiryKind, OpeningHours, ReplyTemplate, ReplyTemplateEdition
from factsheets.content import MODELS
from factsheets.models import ContentVersion, Edition, FactSheet, InstalledRecord, SafetyEdition, TeamMember
from tests.support.filled_database import FilledDatabase, put_static_files
from tests.support.fonts import font_environment
from tests.support.processes import start_process
from tests.support.smtp import SmtpSink, free_port, wait_for
from tests.support.visitor import chromium_without_a_frame

ROOT = Path(__file__).resolve().parent.parent
# Helpers of tests that have fixtures too.
pytest_plugins = [
    "tests.support.backups",
    "tests.support.desk",
    "tests.support.patient_portal",
    "tests.support.person",
    "tests.support.sign_in",
]


# The tables of the content, and of the hours and templates that migrations bring, each with its columns: a migration that a test
# took back may have put them in another order. Beside each stands a copy for the session, kept_ and its name.
KEPT: dict[str, str] = {}


LEFT_OUT = {
    "--fast": "what drives a browser, starts a process, commits to the database, makes a PDF, writes fact sheets at the desk,"
    " or takes more than 0.4 seconds",
    "--other-database": "what asks no database, what no database can change, and what is slow for other reasons",
}


def pytest_addoption(parser):
    parser.addoption(
        "--other-database",
        action="store_true",
        help=f"a repetition on another database: leaves out {LEFT_OUT['--other-database']}",
    )
    parser.addoption(
        "--fast",
        action="store_true",
        help=f"leaves out {LEFT_OUT['--fast']}",
    )


def pytest_report_header(config):
    """A part of the tests is not taken for all of them."""
    return [f"{name} leaves out {what}." for name, what in LEFT_OUT.items() if config.getoption(name)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Each process begins with its share of the slow tests, so that at the end none waits for another one's long test."""
    if config.getoption("--other-database"):
        leave_out(config, items, runs_once)
    if config.getoption("--fast"):
        leave_out(config, items, is_slow)
    items[:] = dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def dealt(items: list, processes: int) -> list:
    """In the order in which xdist cuts them: a piece for each process, one after another, from whose end others steal later."""
    slow, short = [item for item in items if is_slow(item)], [item for item in items if not is_slow(item)]
    slow.sort(key=lambda item: bool(item.get_closest_marker("browser")), reverse=True)
    found = []
    # Files as a whole: their tests share what a file starts once.
    shares: list[list] = [[] for _ in range(processes)]
    for _, of_one_file in groupby(slow, key=lambda item: item.path):
        min(shares, key=len).extend(of_one_file)
    for number, share in enumerate(shares):
        room = (len(items) - len(found)) // (processes - number) - len(share)
        found += share + short[: max(room, 0)]
        del short[: max(room, 0)]
    return found + short


def pytest_collection_finish():
    """What is loaded by now stays: half a million objects, and looking through them for garbage took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def leave_out(config, items, unwanted):
    config.hook.pytest_deselected(items=[item for item in items if unwanted(item)])
    items[:] = [item for item in items if not unwanted(item)]


def runs_once(item) -> bool:
    """What another database cannot change.

    A slow test is slow for the pages that it makes. What it asks the database, shorter tests ask too, or it is marked `both`.
    """
    if item.get_closest_marker("both"):
        return False
    about_database = commits(item) or item.get_closest_marker("process")
    return not asks_database(item) or item.get_closest_marker("once") or (is_slow(item) and not about_database)


def is_slow(item) -> bool:
    fixtures = {"browser", "web_server", "child_environment", "author", "desk"}
    marked = any(item.get_closest_marker(name) for name in ("process", "long"))
    return marked or commits(item) or bool(fixtures & set(item.fixturenames))


def commits(item) -> bool:
    marker = item.get_closest_marker("django_db")
    return "transactional_db" in item.fixturenames or bool(marker and marker.kwargs.get("transaction"))


def asks_database(item) -> bool:
    """pytest-django lets no other test near one."""
    return bool({"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db"))


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """Hashes as in production, but of one round. A process with the real settings can check them: the rounds stand in the hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        patch.setattr(totp, "ROUNDS", 1)  # of the ten recovery codes
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once():
    """Each test client would list the static files anew: 50 ms a test, for the same answer until they are collected again."""
    listed = {}
    list_files = WhiteNoise.update_files_dictionary

    def list_files_once(self, root, prefix):
        manifest = Path(root, "staticfiles.json")
        key = (root, prefix, manifest.stat().st_mtime_ns if manifest.exists() else None)
        if key not in listed:
            list_files(self, root, prefix)
            listed[key] = dict(self.files)
        self.files.update(listed[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoise, "update_files_dictionary", list_files_once)
        yield


# Django's lists of models and permissions. The web server, which lives longer than a test, remembers their keys.
LISTS = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def filled_database(django_db_modify_db_settings):
    """The database as an earlier process of the tests filled it, to start from. On SQLite only."""
    filled = FilledDatabase() if connection.vendor == "sqlite" else None
    yield filled
    if filled:
        filled.unlock()


@pytest.fixture(scope="session")
def django_db_keepdb(filled_database):
    """pytest-django's own question: is there a database that it should not make anew?"""
    return bool(filled_database and filled_database.copy_to(connection.settings_dict["TEST"]["NAME"]))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_keepdb, filled_database, django_db_blocker):
    """The real content and the real hashed static files, once for the suite."""
    with django_db_blocker.unblock():
        put_static_files(settings.STATIC_ROOT, partial(call_command, "collectstatic", interactive=False, verbosity=0))
        if not django_db_keepdb:
            call_command("load_content", verbosity=0, stdout=sys.stderr)
        for model in [
            *MODELS,
            TeamMember,
            InstalledRecord,
            Edition,
            SafetyEdition,
            ContentVersion,
            ClinicSettings,
            ClinicSettingsEdition,
            ClinicHours,
            OpeningHours,
            ReplyTemplate,
            ReplyTemplateEdition,
        ]:
            through = [field.remote_field.through for field in model._meta.many_to_many]
            for each in [model, *through]:
                KEPT[each._meta.db_table] = ", ".join(f'"{column.column}"' for column in each._meta.concrete_fields)
        if not django_db_keepdb:
            with connection.cursor() as cursor:
                for table in KEPT:
                    cursor.execute(f'CREATE TABLE "kept_{table}" AS SELECT * FROM "{table}"')  # noqa: S608 - our own
            if filled_database:
                filled_database.save(connection.connection)
    # On the class: while a browser is driven, Django may give a test another connection object than this one.
    operations = type(connection.ops)
    flush = operations.sql_flush
    if connection.vendor == "postgresql":
        # Django would TRUNCATE, which makes a new file for every table: ten times slower than emptying our short ones.
        def flush(self, style, tables, **options):
            return [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608 - table names of Django's own

    def flush_and_put_back(self, style, tables, **options):
        """What a test that committed ends with. In one transaction, so that no reader ever finds the content gone: a web server
        would keep what it made of nothing under the content's own token."""
        emptied = flush(self, style, [table for table in tables if table not in LISTS], **options)
        put_back = [
            f'INSERT INTO "{table}" ({names}) SELECT {names} FROM "kept_{table}"'  # noqa: S608 - our names
            for table, names in KEPT.items()
        ]
        return [*emptied, *put_back]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", flush_and_put_back)
        yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            end_other_sessions()


def end_other_sessions():
    """The database cannot be dropped under a session of a process that a test killed and the server has not missed yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, state, left(query, 80), pg_terminate_backend(pid)"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for program, state, query, _ in cursor.fetchall():
            sys.__stderr__.write(f"A session was left behind by {program or 'a process'}: {state}, {query}\n")


@pytest.fixture(autouse=True)
def content(request):
    """Where a test asks the database, it is there before all else: fixtures that no test names read it too."""
    asked = {"db", "transactional_db"} & set(request.fixturenames)
    if asked or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db" if "transactional_db" in asked else "_django_db_helper")


@pytest.fixture
def sheet(db):
    return FactSheet.objects.get(slug="about-back-pain")


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("sam", "sam@example.com", "a long demo password", first_name="Sam")


@pytest.fixture
def staff_client(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def many_forms(settings):
    """For tests that send more forms than one person would: the limits of enquiries/abuse.py are far away."""
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = settings.MAX_FORMS_PER_HOUR = 1_000_000
    settings.MAX_MAILS_PER_ADDRESS_PER_DAY = settings.MAX_FORMS_PER_SENDER_BEFORE_REFUSAL = 1_000_000
    settings.MAX_FLAGGED_ALIKE_PER_HOUR = 1_000_000


@pytest.fixture
def smtp():
    """A real SMTP server on this machine, whose behaviour a test can change while it runs."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def mail_through(smtp, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.host, smtp.port
    settings.EMAIL_TIMEOUT = 2
    return smtp


def database_environment() -> dict[str, str]:
    """What a process needs to work on the tests' own database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        address = f"sqlite:///{name}"
    else:
        parts = connection.settings_dict
        address = f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{name}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backcare.config.settings",
        "DATABASE_URL": address,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
        "SECRET_KEY": settings.SECRET_KEY,
        "PGAPPNAME": "a process of the tests",
    }


@pytest.fixture
def child_environment(smtp, transactional_db):
    """What a mail worker needs to work on the tests' own database and SMTP server."""
    return {**database_environment(), "EMAIL_URL": f"smtp://{smtp.host}:{smtp.port}"}


@pytest.fixture(scope="session")
def web_server(django_db_setup, django_db_blocker):
    """The production web server, gunicorn with our configuration, on the tests' own database."""
    with django_db_blocker.unblock():
        environment = database_environment()
    with serving(environment) as address:
        yield address


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """The web server on a port of its own. Gives its address."""
    port = free_port()
    environment = {**environment, "PORT": str(port)}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:tests.support.gunicorn", "backcare.config.wsgi"]
    process = start_process(command, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{address}/robots.txt", timeout=2).status == 200
        except OSError:
            return False

    try:
        wait_for(answers, what="the web server's first answer")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)


@pytest.fixture
def site(web_server, transactional_db):
    """The address of the running site, for tests that talk to it over the network."""
    return web_server


@pytest.fixture
def keep_signals():
    """`deliver_mail`, run in this process, takes SIGTERM and SIGINT for itself."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def mail_worker(child_environment):
    """A running `manage.py deliver_mail`, sending to the SMTP sink."""
    command = [sys.executable, "manage.py", "deliver_mail"]
    process = start_process(command, env=child_environment)
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(120)


# The two pages that Chromium draws behind its address bar, anew for each visitor: half a second of the processor. A process that it
# keeps ready for another site, which no test visits: a tenth. Of such lists Chromium takes the last, so what Playwright leaves out
# (its chromiumSwitches.ts) is here again.
WITHOUT = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess,"
    "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,"
    "PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A real Chromium. Without one the browser tests are skipped, and with REQUIRE_BROWSER=1 they fail."""
    program = chromium_without_a_frame()
    if program is None:
        say = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        say("Browser tests need Chromium, and none was found on this machine.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
        options.append(f"--disable-features={WITHOUT}")
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium's own rule for root, as in a container
        fonts = font_environment(tmp_path_factory.mktemp("fonts"))
        running = playwright.chromium.launch(executable_path=program, args=options, env={**os.environ, **fonts})
        yield running
        running.close()


def consultation(**changes) -> Enquiry:
    """A consultation as a patient would send it."""
    details = {
        "name": "Ada Example",
        "email": "ada@example.com",
        "phone": "+442079460018",
        "best_time": "mornings",
        "description": "An ache low in my back for two months.",
    }
    return intake.accept(
        intake.Submission(kind=EnquiryKind.CONSULTATION, details=details | changes, contact_by=("phone",))
    )


def give_signs(enquiries, signs: str = "RF-E1", **also) -> None:
    """As if their words had sounded like these signs. Each row is written by itself, because each value is sealed for its row."""
    for each in enquiries:
        each.safety_signs = signs
        for name, value in also.items():
            setattr(each, name, value)
        each.save(update_fields=["safety_signs", *also])


def report(sheet, **changes) -> Enquiry:
    details = {"name": "Ada Example", "email": "ada@example.com", "phone": "", "best_time": "", "description": ""}
    return intake.accept(intake.Submission(kind=EnquiryKind.REPORT, details=details | changes, sheet=sheet))
