"""A report as Word, Excel and PDF, each made from its frozen figures alone."""
