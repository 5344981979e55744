"""What is kept about people: the register, retention, key rotation and the subject-access export."""
