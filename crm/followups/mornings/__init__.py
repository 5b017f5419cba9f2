"""A word each morning for whoever wishes it: how many people are due today. By e-mail, or by SMS to their own number."""
