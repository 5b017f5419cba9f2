"""Who needs what, who offers what, and the plan that follows: pure values and functions."""
