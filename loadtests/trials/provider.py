"""Signing in with a real OpenID provider, Glewlwyd of Debian 12, by browser. Nothing is installed: its packages are unpacked in a
folder that is deleted afterwards.

    export OIDC_ISSUER=http://127.0.0.1:8651/api/oidc OIDC_CLIENT_ID=backcare OIDC_CLIENT_SECRET=tried OIDC_NAME=Glewlwyd
    make run
    python -m loadtests.trials.provider --site http://127.0.0.1:8000 --known reception@example.com

The known account comes in, and is asked for the password again after signing out. A stranger, an address that is not verified and
`--deactivated` are refused with the reason. With the provider stopped for a minute, the site says so and offers the password.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.sync_api import sync_playwright

from tests.support.smtp import wait_for
from tests.support.visitor import chromium

# fmt: off
PACKAGES = [
    "glewlwyd", "glewlwyd-common", "libconfig9", "libmariadb3", "liborcania2.3", "libyder2.0", "libhoel1.4", "librhonabwy1.1",
    "libmicrohttpd12", "libulfius2.7", "libiddawc1.1", "liboath0", "libjs-jquery",
]
# fmt: on
PORT, PASSWORD = 8651, "tried by browser"
PROVIDER = f"http://127.0.0.1:{PORT}"


def unpack(folder: Path) -> Path:
    subprocess.run(["/usr/bin/apt-get", "download", "-q", *PACKAGES], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for package in folder.glob("*.deb"):
        subprocess.run(["/usr/bin/dpkg", "-x", package, folder / "root"], check=True)
    root = folder / "root" / "usr"
    web = root / "share/glewlwyd/webapp"
    for name, file in (
        ("config.json", root / "share/glewlwyd/templates/config.json"),
        ("js/jquery.min.js", root / "share/javascript/jquery/jquery.min.js"),
    ):
        (web / name).unlink(missing_ok=True)  # a link into the system
        shutil.copy(file, web / name)
    (root / "lib/glewlwyd/user_middleware").mkdir(exist_ok=True)
    return root


def unzipped(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


def configure(root: Path, folder: Path) -> Path:
    """Its database, where a user also has `email_verified`, and its settings."""
    documents = root / "share/doc/glewlwyd"
    with closing(sqlite3.connect(folder / "provider.db")) as database, database:
        database.executescript(unzipped(documents / "database/init.sqlite3.sql.gz"))
        [known] = database.execute("SELECT gumi_parameters FROM g_user_module_instance").fetchone()
        parameters = json.loads(known)
        parameters["data-format"]["email_verified"] = {"multiple": False, "read": True, "write": True}
        database.execute("UPDATE g_user_module_instance SET gumi_parameters = ?", [json.dumps(parameters)])
    settings = unzipped(documents / "glewlwyd.conf.sample.gz")
    changes = {"port": PORT, "external_url": f'"{PROVIDER}"', "cookie_domain": '"127.0.0.1"', "cookie_secure": 0}
    changes["static_files_path"] = f'"{root}/share/glewlwyd/webapp/"'
    for name in ("user", "user_middleware", "client", "plugin"):
        changes[f"{name}_module_path"] = f'"{root}/lib/glewlwyd/{name}"'
    changes["user_auth_scheme_module_path"] = f'"{root}/lib/glewlwyd/scheme"'
    for name, value in changes.items():
        settings = re.sub(rf"(?m)^{name}\s*=.*$", f"{name}={value}", settings, count=1)
    file = folder / "provider.conf"
    file.write_text(settings.replace("/var/cache/glewlwyd/glewlwyd.db", str(folder / "provider.db")))
    return file


def fill(site: str, users: dict[str, tuple[str, bool]]) -> None:
    """By its own interface, with the password of a new installation."""
    asked = requests.Session()
    asked.post(
        f"{PROVIDER}/api/auth/", json={"username": "admin", "password": "password"}, timeout=9
    ).raise_for_status()

    def tell(method: str, path: str, **what) -> None:
        asked.request(method, f"{PROVIDER}/api/{path}", json=what or None, timeout=30).raise_for_status()

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    kinds = ("code", "token", "id-token", "none", "password", "client", "refresh", "device")
    verified = {"name": "email_verified", "user-property": "email_verified", "type": "boolean", "mandatory": True}
    parameters = {
        **{f"auth-type-{kind}-enabled": kind == "code" for kind in kinds},
        **{"iss": f"{PROVIDER}/api/oidc", "jwt-type": "rsa", "jwt-key-size": "256", "jwks-show": True},
        **{"key": private.decode(), "cert": public.decode(), "subject-type": "public", "allow-non-oidc": False},
        **{"access-token-duration": 3600, "refresh-token-duration": 3600, "code-duration": 600},
        **{"refresh-token-rolling": True, "pkce-allowed": True, "pkce-method-plain-allowed": False},
        **{"name-claim": "no", "scope-claim": "no", "email-claim": "mandatory", "address-claim": {"type": "no"}},
        "claims": [verified | {"boolean-value-true": "1", "boolean-value-false": "0", "on-demand": False, "scope": []}],
        "scope": [],
    }
    tell("POST", "mod/plugin/", module="oidc", name="oidc", display_name="OIDC", parameters=parameters)
    scope = {"display_name": "x", "description": "x", "password_max_age": 0, "scheme": {}}
    tell("POST", "scope/", name="email", password_required=False, **scope)
    tell("PUT", "scope/openid", name="openid", password_required=True, **scope)
    client, secret = os.environ["OIDC_CLIENT_ID"], os.environ["OIDC_CLIENT_SECRET"]
    tell(
        "POST",
        "client/",
        client_id=client,
        name=client,
        confidential=True,
        client_secret=secret,
        password=secret,
        redirect_uri=[f"{site}/admin/login/provider/back/"],
        authorization_type=["code"],
        token_endpoint_auth_method=["client_secret_basic", "client_secret_post"],
        scope=[],
        enabled=True,
    )
    for name, (address, is_verified) in users.items():
        more = {"scope": ["openid", "email"], "email_verified": "01"[is_verified], "enabled": True}
        tell("POST", "user/", username=name, name=name, email=address, password=PASSWORD, **more)


def signed_in(page, site: str, name: str) -> str:
    """What the site says to somebody who has signed in at the provider."""
    page.goto(f"{site}/admin/login/")
    page.locator("a[href*='/login/provider/']").click()
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    page.get_by_role("button", name="Continue", exact=True).wait_for()
    for box in page.locator("input[type=checkbox]:visible").all():
        box.check()
    grant = page.get_by_role("button", name="Grant access")
    (grant if grant.count() else page.get_by_role("button", name="Continue", exact=True)).click()
    page.wait_for_timeout(2000)
    if page.url.startswith(PROVIDER):
        page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url(f"{site}/admin/**")
    return page.locator("body").inner_text()


def expect(said: str, words: str, what: str) -> None:
    print(f"{'as it should' if words in said else 'WRONG':<14}{what}", flush=True)  # noqa: T201
    assert words in said, said


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--site", default="http://127.0.0.1:8000")
    given.add_argument("--known", default="reception@example.com")
    given.add_argument("--deactivated", default="")
    options = given.parse_args()
    users = {
        "known": (options.known, True),
        "stranger": ("stranger@example.org", True),
        "claims": (options.known, False),
    }
    if options.deactivated:
        users["deactivated"] = (options.deactivated, True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        root = unpack(folder)
        libraries = os.environ | {"LD_LIBRARY_PATH": str(root / "lib/x86_64-linux-gnu")}
        command = [root / "bin/glewlwyd", f"--config-file={configure(root, folder)}"]
        provider = subprocess.Popen(command, env=libraries, stdout=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            wait_for(lambda: answers(f"{PROVIDER}/config"), seconds=30, what="the provider")
            fill(options.site, users)
            page = browser.new_page()
            expect(signed_in(page, options.site, "known"), "Sign out", "a known account comes in")
            page.get_by_role("button", name="Sign out").click()
            page.goto(f"{options.site}/admin/login/provider/")
            expect(page.locator("label[for=password]").inner_text(), "Password", "the password is asked for again")
            for who, words in (
                ("stranger", "No active staff account has your email address"),
                ("claims", "does not say that your email address is verified"),
                ("deactivated", "No active staff account has your email address"),
            ):
                if who in users:
                    expect(signed_in(browser.new_context().new_page(), options.site, who), words, f"{who} is refused")
            provider.terminate()
            provider.wait()
            time.sleep(61)  # backcare.staff.provider.ASK_AGAIN
            page = browser.new_context().new_page()
            page.goto(f"{options.site}/admin/login/provider/")
            expect(page.locator("body").inner_text(), "cannot be reached", "a provider that is away is told")
        finally:
            browser.close()
            provider.terminate()
            provider.wait()


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False


if __name__ == "__main__":
    main()
