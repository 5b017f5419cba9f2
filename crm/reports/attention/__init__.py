"""What is wrong and what to do about it, for whoever answers for the whole, for a unit, or for the books."""
