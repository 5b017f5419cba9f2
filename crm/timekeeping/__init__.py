"""Moving the program's time outside production."""
