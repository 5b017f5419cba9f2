"""The reporting round: who owes which report by when, what has come, what is late, and all of it put together."""
