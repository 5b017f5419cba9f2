"""The week in ten lines: on a page that prints, and by e-mail on Monday to who wishes."""
