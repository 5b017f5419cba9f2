"""The network of collection agents: where one pays, who works there, what they were trained in."""
