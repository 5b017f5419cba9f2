"""Papers for joining, from the first word to the insurance office's answer."""
