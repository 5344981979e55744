"""The large dose of loadtests/fuzz: many generated forms, bodies and addresses, on a database of its own.

    FUZZ_POSTS=20000 FUZZ_ADDRESSES=5000 FUZZ_SEED=1 python -m loadtests.trials.fuzz

Prints one line of figures, and what was wrong, if anything was. DATABASE_URL chooses the database, as in the suite.
"""

import os
import sys
import time
import warnings
from collections import Counter

from tests.support import environment  # noqa: F401 - sets the environment before Django reads it

BITE = 500  # requests in one run of hypothesis; more would make each slower


def prepare() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    # So many forms from one sender are what the limits are there to stop: test_limits.py and test_abuse_mailboxes.py.
    for name in (
        "MAX_MAILS_PER_ADDRESS_PER_DAY",
        "MAX_FORMS_PER_SENDER_PER_HOUR",
        "MAX_FORMS_PER_SENDER_BEFORE_REFUSAL",
        "MAX_FORMS_PER_HOUR",
    ):
        setattr(settings, name, 10_000_000)
    PBKDF2PasswordHasher.iterations = 1
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("load_content", verbosity=0, stdout=sys.stderr)


def main() -> int:
    posts = int(os.environ.get("FUZZ_POSTS", "20000"))
    addresses = int(os.environ.get("FUZZ_ADDRESSES", "5000"))
    number = int(os.environ.get("FUZZ_SEED", "1"))
    warnings.simplefilter("ignore")
    prepare()
    from django.db import connection, transaction

    from loadtests.fuzz import requests
    from loadtests.fuzz.forms import collect
    from loadtests.fuzz.judging import Judge, run

    began = time.monotonic()
    with transaction.atomic():
        targets, staff = collect()
        doses = [
            (requests.structured(targets), posts * 4 // 5),
            (requests.raw(targets), posts - posts * 4 // 5),
            (requests.addresses([staff]), addresses),
        ]
        with Judge(staff, look_at_every=2).listening() as judge:
            for strategy, count in doses:
                if strategy is doses[-1][0]:
                    typed = judge.log.getvalue().count(requests.MARK)
                while count > 0:
                    number += 1
                    run(judge, strategy, min(count, BITE), number)
                    count -= BITE
                    sys.stderr.write(f"{judge.tally.line()}, {time.monotonic() - began:.0f} s\n")
        transaction.set_rollback(True)
    kinds = Counter(said[:240] for said, _, _ in judge.tally.wrong)
    for said, many in kinds.most_common(40):
        target, request = next(
            (target, request) for each, target, request in judge.tally.wrong if each.startswith(said)
        )
        sys.stdout.write(f"{many} × {said}\n    {target}\n    {str(request)[:1500]}\n")
    sys.stdout.write(
        f"fuzz, {connection.vendor}: {len(targets)} forms; {judge.tally.line()}; {typed} typed words in the log;"
        f" seed {os.environ.get('FUZZ_SEED', '1')}; {time.monotonic() - began:.0f} s\n"
    )
    return 1 if judge.tally.wrong or typed else 0


if __name__ == "__main__":
    sys.exit(main())
