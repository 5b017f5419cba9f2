"""What it brings, by story: retirement, pension, a birth, survivors, a lump sum on leaving. Pure, and honest."""
