"""Static files are answered before the other middleware: they get the same doors here."""

POLICY = "default-src 'none'; frame-ancestors 'none'"


def headers(headers, path, url):
    """Called by whitenoise once for each file, when it starts."""
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
