"""What is due today, for whom and why."""
