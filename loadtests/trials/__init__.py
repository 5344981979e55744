"""The long dose of the fault tests: `make trials`. Each row is done to a real site, and prints one line of figures."""
