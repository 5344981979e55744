"""What happens to an enquiry. Every verb is one transaction that names its actor and writes the timeline."""
