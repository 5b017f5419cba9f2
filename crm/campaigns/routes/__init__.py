"""Pages of campaigns and messages, the carrier's calls, and the address on which one says no."""
