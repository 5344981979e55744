"""How patients manage their own request without an account: with the link from our email, and their email address."""
