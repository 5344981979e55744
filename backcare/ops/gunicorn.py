"""How gunicorn runs us. The access log has no IP addresses, queries or referrers."""

import ctypes
import gc
import os
import sys
import threading
import time

from backcare.ops import binding, logs

os.umask(0o077)  # as in manage.py. gunicorn's own setting of that name is for a socket file, which the proxy must open

bind = binding.address()
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
worker_class = "backcare.ops.gunicorn_worker.DeadlineWorker"
MEMORY_GIVEN_BACK = 60  # seconds between two times
worker_connections = 500  # of one process; each may cost a file descriptor, of which a system often grants 1,024
timeout = 30  # seconds
graceful_timeout = 20  # seconds
max_requests = 20_000  # workers are renewed now and then, so that a slow leak never becomes an outage
max_requests_jitter = 2_000
limit_request_line = 8190  # bytes, the most there is: a search of 5,000 characters gets our page and not gunicorn's
limit_request_field_size = 8190  # bytes
preload_app = True
accesslog = "-" if os.environ.get("ACCESS_LOG") else None
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(L)s"
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
logger_class = "backcare.ops.gunicorn_log.PrivateLogger"


def on_starting(server):
    """Refuses to start on a newer database, or with other keys than this database's, before anything is served or written."""
    from django.db import connection

    from backcare.core import clinic, encryption
    from backcare.ops import schema

    try:
        schema.at_start()
        encryption.verify_keys_at_start()
        clinic.details()  # so that every worker knows the phone number if the database goes away
    except (schema.NewerDatabase, encryption.WrongKey) as error:
        sys.exit(f"The web server does not start: {error}")
    finally:
        connection.close()  # forked processes must not share a connection


def when_ready(server):
    """Loads what all workers need before they are forked, so that they share 30 MB of views and forms."""
    from django.urls import reverse

    reverse("factsheets:home")
    gc.collect()
    gc.freeze()  # a garbage collection would write to these pages, which copies them in each worker


def post_worker_init(worker):
    """The search index is made before a reader asks for it, and kept up to date; what was read is written down."""
    from factsheets import reads
    from factsheets.search import index

    index.keep_fresh()
    reads.keep_writing()
    threading.Thread(target=_give_memory_back, name="memory", daemon=True).start()


def _give_memory_back():
    """Memory freed after a page or a PDF is kept by glibc: a sixth of a worker. Other C libraries return it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim:
        time.sleep(MEMORY_GIVEN_BACK)
        trim(0)


def worker_exit(server, worker):
    from factsheets import reads

    reads.write()
    logs.tell_counts()
