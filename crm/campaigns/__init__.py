"""Messages: audiences, templates, the outbox, what came of each message, and opting out."""
