"""Requests to a real server byte by byte, for what no honest client would send."""

import socket
from urllib.parse import urlsplit


def connect(address: str, timeout: float = 20) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port), timeout=timeout)


def read(connection: socket.socket) -> bytes:
    """Everything that comes until the server closes the connection."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def exchange(address: str, *pieces: bytes, timeout: float = 20) -> bytes:
    """The whole response. Send `Connection: close`, or it ends only when the server has waited long enough."""
    with connect(address, timeout) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read(connection)


def status(answer: bytes) -> int:
    """The status of the first response, or 0 if there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def head(method: str, path: str, *lines: str, host: str = "127.0.0.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]).encode()


def chunked(body: bytes, size: int = 50) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
