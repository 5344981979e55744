"""backcare/config, and what must hold for the whole site: settings, headers, every address, every model, every document."""
