"""What each person sees, asked everywhere."""
