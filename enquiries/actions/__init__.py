"""Everything that can happen to an enquiry. Each verb is one transaction, names its actor and writes the timeline."""
