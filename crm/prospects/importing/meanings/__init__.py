"""What the lists of other offices mean for the register itself: household businesses, poor households."""
