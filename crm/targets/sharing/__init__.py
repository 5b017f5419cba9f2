"""A target shared out to the units that will reach it: proposed with its reasons, answered by each, then settled."""
