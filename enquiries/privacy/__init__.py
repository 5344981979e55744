"""What we hold about people: the register, retention, key rotation and the subject-access export."""
