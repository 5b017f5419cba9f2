"""E-mail: an outbox of rows, and what carries them: SMTP, or a mailbox on this machine that shows what would be sent."""
