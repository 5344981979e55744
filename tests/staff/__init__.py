"""backcare/staff: signing in, roles, and the admin site."""
