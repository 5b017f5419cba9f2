"""How the stock of participants moved, kept summed by the database in the transaction that moved it."""
