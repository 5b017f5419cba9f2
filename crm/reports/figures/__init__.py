"""Every number of a period, from one reading of the sums: what pages, reports and snapshots are made of."""
