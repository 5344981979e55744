"""enquiries/inbox: staff's work on enquiries."""
