"""backcare/ops: backups, health, the web server, and the commands."""
