"""PostgreSQL and Valkey out of Python wheels, for a machine on which nobody has set up a database."""
