"""How somebody who asked sees to their request without an account: opened with the link from the mail and the email address."""
