"""factsheets/admin: the editors' pages."""
