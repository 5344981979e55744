"""enquiries/assessment: the self-assessment and the personal report."""
