"""What the inbox and the first page of the desk are made from. Their pages are in enquiries/admin."""
