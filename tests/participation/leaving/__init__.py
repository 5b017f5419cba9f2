"""What comes back to whoever leaves."""
