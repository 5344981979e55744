"""Search: the index of what patients may read, the query, red flags in what they type, and failed searches."""
