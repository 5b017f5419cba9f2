"""People who belong in compulsory insurance: handed to the insurance office as a list, and what it answered."""
