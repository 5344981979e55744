"""Nothing accepted is lost: outbox, faults, backup, half facts."""
