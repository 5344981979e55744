"""Walks through the whole site, as a person or an attacker takes them."""
