"""Who may join: five plain questions, and what the law of a day says to the answers."""
