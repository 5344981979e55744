"""The web server's own configuration, for the server that the tests share: it writes nothing behind a test's back.

What was read is written when the server ends, and not once a minute: a test that compares the whole database would find it changed.
Passwords and recovery codes are hashed in one round, as in the tests themselves: with all of them each sign-in takes a quarter of
a second.
"""

from backcare.ops import gunicorn
from backcare.ops.gunicorn import *  # noqa: F403 - gunicorn reads the names of a configuration


def post_worker_init(worker):
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    from backcare.staff import totp
    from factsheets import reads

    PBKDF2PasswordHasher.iterations = totp.ROUNDS = 1
    reads.WRITTEN_EACH = 24 * 3600.0
    gunicorn.post_worker_init(worker)
