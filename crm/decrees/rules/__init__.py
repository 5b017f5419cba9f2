"""What a decree may say, and what it means for somebody: no database, no clock."""
