"""Answers across everything; reads, never writes."""
