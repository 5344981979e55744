"""enquiries/privacy: what is kept about people, how long, and how it ends."""
