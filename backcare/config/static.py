"""Static files are answered before the other middleware, so they get their security headers here."""

POLICY = "default-src 'none'; frame-ancestors 'none'"


def headers(headers, path, url):
    """Called by whitenoise once for each file, when it starts."""
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
