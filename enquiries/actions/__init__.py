"""What happens to an enquiry. Every verb is one transaction, names its actor, and writes the timeline with the fact."""
