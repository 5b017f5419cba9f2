"""What the plan asks of each actor in its section IV: a living list of duties, who, until when, done by which evidence."""
