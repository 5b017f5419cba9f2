"""What telephone numbers said to messages: their history, refusals by the hotline and at the door, do-not-call lists."""
