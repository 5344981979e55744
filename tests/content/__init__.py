"""What the sheets say and rest on, and the editors' desk that keeps them true."""
