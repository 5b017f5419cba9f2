"""The public calculator: two questions, one answer, on the page and on a phone without a network."""
