"""What is kept about people: sealed, declared, not in any log, and gone on time."""
