"""The law by date and what follows from it. Pure: every legal number comes from dated rows."""
