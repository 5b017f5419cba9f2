"""What follows from a conversation, and who looks after whom."""
