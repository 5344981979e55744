"""Who gets in, what is refused, and what no input can do."""
