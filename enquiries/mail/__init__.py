"""From a row of the outbox to an email that a server accepted."""
