"""The proxy configurations in `deploy/`, each run by its own program in front of a site, over TLS."""

import gzip
import http.client
import os
import socket
import ssl
import subprocess
from pathlib import Path

import brotli

from tests.support.faults import Web
from tests.support.processes import ROOT, program, start_process
from tests.support.smtp import free_port, wait_for

DEPLOY = ROOT / "deploy"
DOMAIN = "backcare.example.org"
# Arguments for openssl: a certificate for two days.
REQUEST = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
REQUEST += ["-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN}"]


class Proxy:
    """A proxy with TLS in front of a site of two processes, on loopback ports. `spare` is nginx's second site."""

    def __init__(self, name: str, folder: Path, web: Web, spare: Web | None = None):
        self.spare = spare
        self.folder, self.web, self.log = folder, web, folder / "log"
        self.http, self.https = free_port(), free_port()
        certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
        subprocess.run(
            [program("openssl"), *REQUEST, "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.command = getattr(self, name)(program(name), certificate, key)

    def nginx(self, found: str, certificate: Path, key: Path) -> list[str]:
        ours = (DEPLOY / "nginx.conf").read_text()
        for here, there in {
            "[::]:80": f"[::1]:{self.http}",
            "[::]:443": f"[::1]:{self.https}",
            "listen 80": f"listen 127.0.0.1:{self.http}",
            "listen 443": f"listen 127.0.0.1:{self.https}",
            "127.0.0.1:8000": self.web.address.removeprefix("http://"),
            f"/etc/letsencrypt/live/{DOMAIN}/fullchain.pem": str(certificate),
            f"/etc/letsencrypt/live/{DOMAIN}/privkey.pem": str(key),
            "/var/lib/nginx": str(self.folder),
            "/var/log/nginx": str(self.folder),
            "/opt/backcare": str(ROOT),
            "proxy_cache_lock on;": "proxy_cache_lock on; add_header X-Cache $upstream_cache_status;",
        }.items():
            assert here in ours
            ours = ours.replace(here, there)
        if self.spare:
            second = f"server {self.spare.address.removeprefix('http://')} backup;"
            ours = ours.replace("    keepalive 16;", f"    {second}\n    keepalive 16;")
        temporary = " ".join(f"{each}_temp_path {self.folder}/{each};" for each in ("client_body", "proxy", "fastcgi"))
        temporary += " ".join(f"{each}_temp_path {self.folder}/{each};" for each in ("uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; pid {self.folder}/pid; error_log {self.folder}/main.log; worker_processes 1;\n"
            + ("user root;\n" if os.geteuid() == 0 else "")
            + "events { worker_connections 512; }\n"
            + f"http {{ {temporary} access_log {self.folder}/default.log; {ours} }}\n"
        )
        return [
            found,
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
            "-e",
            str(self.folder / "main.log"),
        ]

    def caddy(self, found: str, certificate: Path, key: Path) -> list[str]:
        ours = (DEPLOY / "Caddyfile").read_text()
        for here, there in {
            "\n{\n\tservers": f"\n{{\n\tadmin off\n\thttp_port {self.http}\n\thttps_port {self.https}\n\tservers",
            f"\n{DOMAIN} {{\n": f"\n{DOMAIN} {{\n\ttls {certificate} {key}\n",
            "127.0.0.1:8000": self.web.address.removeprefix("http://"),
            "/opt/backcare": str(ROOT),
        }.items():
            assert here in ours
            ours = ours.replace(here, there)
        (self.folder / "Caddyfile").write_text(ours)
        return [found, "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    def __enter__(self) -> "Proxy":
        environment = {**os.environ, "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        with self.log.open("ab") as log:
            self.process = start_process(self.command, env=environment, stdout=log, stderr=log)
        wait_for(self.is_up, what="the proxy's first answer")
        return self

    def __exit__(self, *error) -> None:
        self.process.terminate()
        self.process.wait(120)

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text() + (self.folder / "main.log").read_text()
        try:
            return self.ask("GET", "/robots.txt").status == 200
        except OSError:
            return False

    def connect(self) -> ssl.SSLSocket:
        return self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.https), 20), server_hostname=DOMAIN)

    def ask(self, method: str, path: str, body=None, headers=(), **more: str) -> http.client.HTTPResponse:
        """The answer, with its text as `.text`."""
        connection = http.client.HTTPConnection(DOMAIN, timeout=30)
        connection.sock = self.connect()
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return read(connection, method, path, body, {**dict(headers), **named})


def read(connection: http.client.HTTPConnection, method: str, path: str, body, headers) -> http.client.HTTPResponse:
    try:
        connection.request(method, path, body, {"Host": DOMAIN, **headers})
        answer = connection.getresponse()
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(answer.headers["Content-Encoding"], bytes)
        answer.text = unpack(answer.read()).decode(errors="replace")
        return answer
    finally:
        connection.close()


def asked_directly(web: Web, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    return read(connection, "GET", path, None, {"X-Forwarded-Proto": "https"})


def answers(web: Web) -> bool:
    try:
        return asked_directly(web, "/robots.txt").status == 200
    except OSError:
        return False
