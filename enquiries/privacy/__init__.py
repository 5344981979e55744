"""What is kept about people: the register, how it is sealed and found, how long it stays, and one person's whole."""
