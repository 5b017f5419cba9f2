"""What a check finds, what may be mended, and when one may launch."""
