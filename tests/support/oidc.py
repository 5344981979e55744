"""A small OpenID Connect provider on its own port. It signs tokens with RSA, and lies when a test tells it to."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "backcare", "a secret of the clinic"


class Provider:
    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "1"})
        self.codes: dict[str, dict] = {}  # what was requested with each
        self.claims: dict = {}  # override the honest ones; None leaves one out
        self.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        self.person: dict = {}  # the claims about the person who presses the button on its page
        self.about: dict = {}  # overrides what it honestly says about itself
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def sign_in(self, address: str, **claims) -> str:
        """What a browser brings back from the provider after somebody signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (
            asked["response_type"] == "code" and asked["prompt"] == "login" and asked["code_challenge_method"] == "S256"
        )
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        self.claims = claims
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str]) -> dict | None:
        """For a code that is shown for the first time, by the client that asked and with what only its browser's session knows."""
        asked = self.codes.pop(form["code"], None)
        if not asked or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if proof != asked["code_challenge"]:
            return None
        now = int(time.time())
        honest = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {name: value for name, value in (honest | self.claims).items() if value is not None}
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}

    def with_shared_secret(self, claims: dict) -> str:
        """The attack that passes off the public key as a shared secret."""
        key = OctKey.import_key(self.key.as_pem(private=False))
        return jwt.encode({"alg": "HS256", "kid": "1"}, claims, key)

    def unsigned(self, claims: dict) -> str:
        parts = [json.dumps(each).encode() for each in ({"alg": "none", "kid": "1"}, claims)]
        return ".".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts) + "."

    def _handler(provider):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                if self.path == "/.well-known/openid-configuration":
                    self.answer(
                        {
                            "issuer": provider.issuer,
                            "authorization_endpoint": f"{provider.issuer}/authorize",
                            "token_endpoint": f"{provider.issuer}/token",
                            "jwks_uri": f"{provider.issuer}/keys",
                            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                            **provider.about,
                        }
                    )
                elif self.path.startswith("/authorize?"):
                    page = (
                        f'<title>Sign in</title><form method="post" action="{escape(self.path)}"><button>I am</button>'
                    )
                    self.answer_with(f"{page}</form>".encode(), 200, "text/html")
                else:
                    self.answer({"keys": [provider.key.as_dict(private=False)]})

            def do_POST(self):
                if self.path.startswith("/authorize?"):
                    back = provider.sign_in(self.path, **provider.person)
                    site = urlsplit(parse_qs(urlsplit(self.path).query)["redirect_uri"][0])
                    self.send_response(303)
                    self.send_header("Location", f"{site.scheme}://{site.netloc}{back}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                basic = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
                known = self.headers["Authorization"] in {f"Basic {basic}", f"Basic {plain()}"}
                token = provider.token({name: each[0] for name, each in parse_qs(body).items()}) if known else None
                self.answer(token or {"error": "invalid_grant"}, 200 if token else 400)

            def answer(self, what, status=200):
                self.answer_with(json.dumps(what).encode(), status, "application/json")

            def answer_with(self, body, status, kind):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        def plain():
            return base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()

        return Handler


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()
        thread.join()
