"""When the target is reached, with a range; what would move it; and how earlier forecasts did."""
