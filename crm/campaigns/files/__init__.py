"""The second way out: files for a domestic brand-name gateway, and its results handed back."""
