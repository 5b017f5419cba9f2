"""Backup, restore, and a look at whether everything is in order."""
