"""enquiries/mail: the outbox, its worker, and what mails say."""
