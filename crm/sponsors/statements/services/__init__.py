"""Taking statements in, loading their lines, and saying what each line was."""
