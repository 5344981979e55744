"""The web server's configuration for the server that tests share, with nothing written behind a test's back.

Counts of reads are written when the server stops, not once a minute, because a test that compares the whole database would find
them. Passwords and recovery codes are hashed in one round, as in the tests, because with all of them each sign-in takes a quarter
of a second.
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
