"""What the performance figures come from: ours beside a floor, in the same run, by the same client."""
