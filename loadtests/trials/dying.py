"""The site as gunicorn serves it, but for a request that asks to die: after so many calls of Python functions, by kill -9."""

import os
import signal
import sys

from backcare.config.wsgi import application as site


def application(environ, start_response):
    step = int(environ.get("HTTP_X_TRIAL_STEP", 0))
    if not step:
        return site(environ, start_response)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def start(status, headers, error=None):
        sys.setprofile(None)
        return start_response(status, [*headers, ("X-Trial-Calls", str(calls))], error)

    sys.setprofile(count)
    try:
        return site(environ, start)
    finally:
        sys.setprofile(None)
