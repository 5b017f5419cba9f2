"""What an insurance record says of months that were paid elsewhere, or before this register began."""
