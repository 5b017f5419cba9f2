"""How many people stand at each stage, kept summed by the database in the transaction that moves them."""
