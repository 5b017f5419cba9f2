"""What people do with official reports: count, word, sign, send; and what an office says of its paper."""
