"""A stand-in for Twilio on this machine: the real SDK talks to it, and nothing is ever sent to a telephone."""
