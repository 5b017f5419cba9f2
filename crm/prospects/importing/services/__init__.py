"""What is done with a list: taking it in, reading it, deciding on rows, committing, undoing, handing rows back."""
