"""factsheets/rendering: pages, PDF, plain text and JSON."""
