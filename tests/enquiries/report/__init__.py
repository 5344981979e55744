"""enquiries/report: the report and its private summary."""
