"""The inbox and the desk of the clinic's staff."""
