"""Acts with the second way out: choosing ways, making files, taking them back, loading results."""
