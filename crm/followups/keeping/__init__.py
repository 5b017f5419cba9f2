"""The page that keeps people in: who is near a lapse, what ends soon, who lapsed and why, and what waits too long."""
