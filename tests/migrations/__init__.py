"""One line of migrations, and what they carry over."""
