"""Taking part: joining, months paid by which payer, falling due, lapsing; the stock that the target counts."""
