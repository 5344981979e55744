"""Fast and plain: pages, outputs, search, access, weight."""
