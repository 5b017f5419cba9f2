"""Templates of messages: their versions, what the carrier said of each, and which wording it does not take."""
