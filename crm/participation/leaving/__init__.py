"""What comes back to whoever leaves while months they have paid for are still to come, and to whom."""
