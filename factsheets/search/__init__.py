"""Finding: the index of what patients may read, the query, red flags in what is typed, and what was not found."""
