"""What people write back, who looks at it, and what is answered."""
