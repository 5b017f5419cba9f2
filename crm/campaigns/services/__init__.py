"""Acts on messages: queueing, sending, believing receipts, launching, and taking a no."""
