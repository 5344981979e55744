"""gunicorn's own logs, held to the same rules as ours."""

from gunicorn.glogging import Logger

from backcare.logs import WithoutRequestValues, without_secrets


class PrivateLogger(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        # It names the address of a request it could not handle.
        for handler in self.error_log.handlers:
            handler.addFilter(WithoutRequestValues())

    def atoms(self, resp, req, environ, request_time):
        found = super().atoms(resp, req, environ, request_time)
        return {**found, "U": without_secrets(found["U"] or "")}
