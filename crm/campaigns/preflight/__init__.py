"""What a launch would do, looked at before: everybody's message, what it costs, what is wrong, and a second person's yes."""
