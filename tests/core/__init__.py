"""backcare/core: encryption, keys, limits, addresses."""
