"""Pages of numbers, the hotline, the tap at the door, and lists of refusals."""
