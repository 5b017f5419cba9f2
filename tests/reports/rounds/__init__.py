"""The reporting round: who owes what by when, what came, and all of it put together."""
