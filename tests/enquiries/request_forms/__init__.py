"""enquiries/request_forms: consultation and question."""
