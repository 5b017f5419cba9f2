"""What a line of a bank's statement can be, and whose money it most likely is. No database here."""
