"""What patients ask, and what they hear."""
