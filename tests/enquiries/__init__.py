"""enquiries: accepting, abuse, and the steps of an enquiry."""
