"""Paying at once for the months that are missing for a pension («đóng một lần cho những năm còn thiếu»)."""
