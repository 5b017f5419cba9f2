"""Payments from the insurance office's lists."""
