"""Search: the index of what patients may read, the query, red flags in what is typed, and failed searches."""
