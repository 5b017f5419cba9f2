"""Making two records one, making them two again, and answering whether they are one person."""
