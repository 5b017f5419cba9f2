"""Money that is set aside for months for which it can no longer be paid, and that the treasurer may give back."""
