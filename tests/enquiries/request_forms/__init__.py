"""enquiries/request_forms: the three forms up to sending. What a report needs besides is in tests/enquiries/report/."""
