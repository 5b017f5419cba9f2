"""Money that is set aside in vain."""
