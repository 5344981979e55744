"""enquiries/clock: opening hours and when we reply."""
