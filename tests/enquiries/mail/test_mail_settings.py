"""What is ours to mend: a password, a setting, a key, a certificate. It makes mail wait, and never kills one."""

import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import OperationalError, connection

from backcare.core import clinic
from backcare.core.encryption import new_key
from enquiries.models import MessageState, OutgoingMessage, Purpose
from factsheets.models import SafetyAdvice
from tests.conftest import report
from tests.support.clinic_settings import set_clinic
from tests.support.outbox import deliver, expect_delivered_once, expect_waiting, question, states
from tests.support.smtp import SmtpSink


def test_a_changed_password_kills_no_mail_and_the_right_one_drains_the_outbox(db, mail_through, settings):
    mail_through.password = "the new password"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "clinic", "the old password"
    for number in range(3):
        question(email=f"ada{number}@example.com")
    deliver()
    expect_waiting("SMTPAuthenticationError 535")
    settings.EMAIL_HOST_PASSWORD = "the new password"
    expect_delivered_once(mail_through, mails=6)


@pytest.mark.parametrize("name", ["inbox_email", "email"])
def test_a_missing_address_of_the_clinic_makes_mail_wait_and_never_counts_as_sent(db, mail_through, name):
    question()
    known = clinic.details()[name]
    set_clinic(**{name: ""})
    deliver()
    waiting = OutgoingMessage.objects.filter(state=MessageState.WAITING, error="ImproperlyConfigured")
    assert waiting.filter(purpose=Purpose.CLINIC_ALERT).exists()
    assert len(mail_through.messages) == 2 - waiting.count()
    set_clinic(**{name: known})
    expect_delivered_once(mail_through, mails=2)


def test_a_sender_with_a_line_break_kills_no_mail(db, mail_through):
    question()
    set_clinic(sender_email="clinic@example.com\nBcc: everybody@example.com")
    deliver()
    expect_waiting("ValueError")
    set_clinic(sender_email="clinic@example.com")
    expect_delivered_once(mail_through, mails=2)


def test_a_worker_without_the_newest_key_kills_no_mail(db, mail_through, settings):
    """A key is added and the web server restarted first: for a moment the mail worker cannot read what is written."""
    question()
    keys = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    deliver()
    assert (MessageState.WAITING, "CannotDecrypt") in states()
    settings.FIELD_ENCRYPTION_KEYS = keys
    expect_delivered_once(mail_through, mails=2)


def test_no_mail_goes_to_a_patient_without_emergency_advice_and_none_is_lost_for_it(db, mail_through):
    advice = list(SafetyAdvice.objects.all())
    SafetyAdvice.objects.all().delete()
    question()
    deliver()
    expect_waiting("SafetyAdviceMissing")
    SafetyAdvice.objects.bulk_create(advice)
    expect_delivered_once(mail_through, mails=2)


def test_a_database_that_stumbles_while_a_mail_is_made_kills_no_mail(db, mail_through):
    question()

    def stumble(execute, sql, *rest):
        if "factsheets_safetyadvice" in sql:
            raise OperationalError("terminating connection: harsh words")
        return execute(sql, *rest)

    with connection.execute_wrapper(stumble):
        deliver()
    expect_waiting("OperationalError")
    expect_delivered_once(mail_through, mails=2)


# --- the way to the server ---


@pytest.fixture
def certificate(tmp_path):
    """A certificate for this machine that nobody has signed but itself, and the file it is in."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate, mail_through, settings):
    """A server that offers STARTTLS with that certificate, and settings that ask for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    settings.EMAIL_USE_TLS = True
    with SmtpSink(tls_context=context, require_starttls=True) as server:
        settings.EMAIL_PORT = server.port
        yield server


def test_mail_waits_rather_than_go_to_a_server_that_cannot_prove_its_name(db, tls_server, certificate, monkeypatch):
    question()
    deliver()
    expect_waiting("SSLCertVerificationError")
    assert tls_server.messages == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    expect_delivered_once(tls_server, mails=2)


def test_mail_waits_rather_than_go_unencrypted_when_the_settings_ask_for_tls(db, mail_through, settings):
    settings.EMAIL_USE_TLS = True
    question()
    deliver()
    expect_waiting("SMTPNotSupportedError")
    assert mail_through.messages == []


def test_mail_goes_to_a_server_that_speaks_tls_from_the_first_byte(
    db, sheet, mail_through, certificate, settings, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    settings.EMAIL_USE_SSL = True
    report(sheet)
    with SmtpSink(ssl_context=context) as server:
        settings.EMAIL_PORT = server.port
        deliver()
        assert states() == {(MessageState.SENT, "")}
        [mail] = server.messages
        assert list(mail.iter_attachments()), "It is large enough to need more than one TLS record."
