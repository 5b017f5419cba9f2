"""Keeping those who take part: how near each is to a lapse, and what will end of itself if nobody speaks of it."""
