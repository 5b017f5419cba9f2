"""Official reports of a small town."""
