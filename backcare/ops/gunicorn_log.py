"""gunicorn's own logs, under the same rules as ours."""

import os

from gunicorn.glogging import Logger

from backcare.ops.logs import CutOff, JsonLine, WithoutRequestValues, pattern, without_secrets

KNOWN_METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"}


class PrivateLogger(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(WithoutRequestValues())
            handler.addFilter(CutOff())
            if os.environ.get("LOG_FORMAT") == "json":
                handler.setFormatter(JsonLine())

    def atoms(self, resp, req, environ, request_time):
        found = super().atoms(resp, req, environ, request_time)
        method = found["m"] if found["m"] in KNOWN_METHODS else "?"
        return {**found, "m": method, "U": address(found["U"] or "", str(found["s"]))}


def address(path: str, status: str) -> str:
    """The path of a page or file that was served; otherwise only its pattern, because the path is the sender's own text."""
    if status.startswith("2") or status == "304":
        return without_secrets(path)
    return pattern(path)
