"""Joining on paper: a dossier for each person, checked before it goes, gathered into lists, followed to its answer."""
