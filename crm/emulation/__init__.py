"""Who did well, compared fairly, and who is proposed for commendation (Biểu 06)."""
