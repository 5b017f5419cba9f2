"""The wards as tiles: where people take part, how far from the target, and who has to pay soon."""
