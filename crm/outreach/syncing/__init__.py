"""What phones and other programs recorded while they were offline, and what changed meanwhile."""
