"""What happens when something is wrong: with what was sent, with the database, with the broker."""
