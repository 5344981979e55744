"""gunicorn's threaded worker, changed so that a slow client does not hold a thread.

gunicorn gives each connection a thread as soon as its first bytes are there: eight half-sent requests stop a site of two processes
with four threads each. Here the loop that waits for all connections collects a request, head and body, and a thread gets it when
it is whole. The parser is still gunicorn's: what is counted here decides when a request is handed over, never what it says.
"""

import io
import re
import selectors
import socket
import time
from concurrent import futures
from functools import partial

from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from backcare.ops import request_bodies

HEAD_SECONDS = 10  # from the first moment of a connection to the end of the head
BODY_SECONDS = 20  # more, for a body that is collected
LONG_SECONDS = 120  # for a body that a thread reads
STALL_SECONDS = 10  # without a byte of it
SEND_SECONDS = 30  # for an answer that does not fit into the socket
LINGER_SECONDS = 5  # until a peer has read our last answer

MAX_HEAD_BYTES = 64 * 1024  # bytes
MAX_BODY_COLLECTED = 256 * 1024  # bytes of a body: the most that a public form takes
MAX_COLLECTED = 32 * 1024 * 1024  # bytes in all, of one process
MAX_WAITING = 300  # connections of one process whose request is not whole; the oldest gives way
MAX_LINGERING = 100
SEND_BUFFER = 256 * 1024  # bytes: most answers fit, so that a reader who does not read holds no thread
LONG_THREADS = 6  # for uploads, and for bodies that name no length
MAX_LONG = 50  # of those, with the ones that wait for a thread

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
CODED = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class PatientUnreader(SocketUnreader):
    """Reads from the socket, but only until a deadline."""

    until = 0.0  # of the monotonic clock

    def chunk(self, size_hint=None):
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(min(left, STALL_SECONDS))
        try:
            return super().chunk(size_hint)
        finally:
            self.sock.settimeout(SEND_SECONDS)


class Connection(TConn):
    """`received` is what has been collected of its next request, `until` the moment when the rest must be there."""

    def __init__(self, *of_gunicorn, linger):
        super().__init__(*of_gunicorn)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.linger = linger
        self.received = bytearray()
        self.until = 0.0
        self.whole_at = 0  # bytes, once the head is there
        self.read_for = 0.0  # seconds that a thread may read from the socket

    def await_request(self) -> None:
        if self.initialized:  # sent right behind the one before
            self.received += self.parser.unreader.take_buffered()
        self.until = time.monotonic() + HEAD_SECONDS
        self.whole_at = 0
        self.sock.setblocking(False)

    def init(self):
        """In the thread, before each request."""
        first = not self.initialized
        super().init()
        if first:
            self.parser.unreader = PatientUnreader(self.sock)
        self.parser.unreader.until = time.monotonic() + self.read_for
        self.parser.unreader.unread(bytes(self.received))
        self.received.clear()
        self.sock.settimeout(SEND_SECONDS)

    def close(self, graceful=False):
        if graceful:
            # gunicorn would wait for the peer here, in the loop that serves everybody.
            self.linger(self.sock)
        else:
            super().close()


class DeadlineWorker(ThreadWorker):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.waiting: dict[Connection, None] = {}  # the oldest first
        self.lingering: dict[socket.socket, float] = {}
        self.collected = 0  # bytes
        self.long_pool = None
        self.long: set[Connection] = set()  # in that pool

    def init_process(self):
        self.long_pool = futures.ThreadPoolExecutor(max_workers=LONG_THREADS)
        super().init_process()

    def run(self):
        super().run()
        self.long_pool.shutdown(wait=False)

    # --- collecting ---

    def accept(self, listener):
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no file descriptor is left
            self.drop_oldest()
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname(), linger=self.linger))

    def enqueue_req(self, conn):
        """gunicorn calls it for a new connection, for the next request on one, and for one that is here already."""
        conn.await_request()
        self.collected += len(conn.received)
        self.waiting[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_bytes, conn))
        if conn.received:
            self.consider(conn)
        while len(self.waiting) > MAX_WAITING:
            self.drop_oldest()

    def on_bytes(self, conn, sock):
        if conn not in self.waiting:  # dropped since the poller reported it
            return
        try:
            piece = sock.recv(request_bodies.PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            piece = b""
        if not piece:
            self.drop(conn)
            return
        conn.received += piece
        self.collected += len(piece)
        self.consider(conn)
        while self.collected > MAX_COLLECTED:
            self.drop_oldest()

    def consider(self, conn) -> None:
        """Hands over the request once it is whole, or no more of it will be collected."""
        if not conn.whole_at:
            end = conn.received.find(b"\r\n\r\n") + 4
            if end < 4:
                if conn.received.count(b"\n") != conn.received.count(b"\r\n"):
                    self.hand_over(conn)  # gunicorn refuses it
                elif len(conn.received) > MAX_HEAD_BYTES:
                    self.refuse(conn, request_bodies.LONG_HEAD)
                return
            head = bytes(conn.received[:end])
            length = LENGTH.search(head)
            conn.whole_at = end + (int(length[1]) if length else 0)
            conn.until += BODY_SECONDS
            if CODED.search(head) or conn.whole_at - end > MAX_BODY_COLLECTED:
                self.hand_over(conn, read_for=LONG_SECONDS)
                return
            if len(conn.received) < conn.whole_at and EXPECTS.search(head):
                self.expect(conn, head)
        if len(conn.received) >= conn.whole_at:
            self.hand_over(conn)

    def expect(self, conn, head: bytes) -> None:
        """Tells a waiting client to send the body. gunicorn would do so only once a thread has the request."""
        try:
            conn.sock.send(CONTINUE)
        except OSError:
            return  # the next read will find out what is wrong
        asked = EXPECTS.sub(b"", head, count=1)
        conn.received[: len(head)] = asked
        conn.whole_at -= len(head) - len(asked)
        self.collected -= len(head) - len(asked)

    def hand_over(self, conn, read_for: float = 0) -> None:
        if read_for and len(self.long) >= MAX_LONG:
            self.refuse(conn, request_bodies.LATE)
            return
        self.forget(conn)
        if read_for:
            self.long.add(conn)
        conn.read_for, conn.data_ready = read_for, True
        self.submit(self.long_pool if read_for else self.tpool, conn, self.handle)

    def refuse(self, conn, trouble: str) -> None:
        self.forget(conn)
        self.log.warning("Refused: %s", trouble)
        self.submit(self.tpool, conn, partial(self.answer_refused, trouble=trouble))

    def submit(self, pool, conn, work) -> None:
        pool.submit(work, conn).add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def finish_request(self, conn, done):
        self.long.discard(conn)
        super().finish_request(conn, done)

    def forget(self, conn) -> None:
        del self.waiting[conn]
        self.collected -= len(conn.received)
        self.poller.unregister(conn.sock)

    def drop(self, conn) -> None:
        self.forget(conn)
        self.nr_conns -= 1
        conn.close()

    def drop_oldest(self) -> None:
        if oldest := next(iter(self.waiting), None):
            self.drop(oldest)

    def murder_pending(self):
        """Once a second, and after every event."""
        now = time.monotonic()
        for conn in list(self.waiting):
            if not self.alive:  # what is on its way has the time that a kept connection has
                conn.until = min(conn.until, now + STOP_KEEPALIVE_LINGER)
            if conn.until <= now:
                if conn.received:
                    self.refuse(conn, request_bodies.LATE)
                else:
                    self.drop(conn)
        for sock in [sock for sock, until in self.lingering.items() if until <= now]:
            self.end(sock)

    # --- the end of a connection ---

    def linger(self, sock: socket.socket) -> None:
        """Discards further input, because closing with unread bytes would reset the connection and lose our response."""
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self.poller.register(sock, selectors.EVENT_READ, self.on_last_bytes)
        except (OSError, ValueError, KeyError):  # already gone, or the loop has ended
            sock.close()
            return
        self.lingering[sock] = time.monotonic() + LINGER_SECONDS
        while len(self.lingering) > MAX_LINGERING:
            self.end(next(iter(self.lingering)))

    def on_last_bytes(self, sock) -> None:
        try:
            if sock in self.lingering and not sock.recv(request_bodies.PIECE):
                self.end(sock)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.end(sock)

    def end(self, sock) -> None:
        del self.lingering[sock]
        self.poller.unregister(sock)
        sock.close()

    # --- what gunicorn refuses ---

    def _keepalive_after(self, conn, keepalive):
        conn.parser.unreader.until = min(conn.parser.unreader.until, time.monotonic() + LINGER_SECONDS)
        return super()._keepalive_after(conn, keepalive)

    def handle_error(self, req, client, addr, exc):
        """gunicorn's own page quotes what it could not read and has no emergency advice."""
        if not isinstance(exc, ParseException) or isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Refused, not readable as HTTP: %s", type(exc).__name__)
        if isinstance(exc, LimitRequestLine | LimitRequestHeaders):
            self.send_page(client, request_bodies.LONG_HEAD)
        elif isinstance(exc, UnsupportedTransferCoding):
            self.send_page(client, request_bodies.NO_LENGTH)
        else:
            self.send_page(client, request_bodies.UNREADABLE)

    def answer_refused(self, conn, trouble: str) -> bool:
        """Runs in a thread. The connection ends."""
        conn.sock.settimeout(SEND_SECONDS)
        self.send_page(conn.sock, trouble)
        return False

    def send_page(self, sock: socket.socket, trouble: str) -> None:
        try:
            sock.sendall(self.page(trouble))
        except OSError:
            return  # the client has gone

    def page(self, trouble: str) -> bytes:
        """The site's own error page, as if it had refused the request itself (backcare/config/middleware.py)."""
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(),
            "HTTP_X_FORWARDED_PROTO": "https",
            request_bodies.TROUBLE: trouble,
        }
        told = []
        answer = self.wsgi(environ, lambda status, headers, error=None: told.extend([status, headers]))
        try:
            content = b"".join(answer)
        finally:
            answer.close()
        status, headers = told
        lines = [f"{name}: {value}" for name, value in headers if name != "Content-Length"]
        lines += [f"Content-Length: {len(content)}", "Connection: close"]
        return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + content
