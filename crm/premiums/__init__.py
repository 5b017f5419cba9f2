"""The law by date: what one pays, what the State adds, what it brings; quotes."""
