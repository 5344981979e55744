"""What the inbox and the desk's first page show. Their pages are in enquiries/admin."""
