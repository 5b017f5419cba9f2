"""What every API call shares: tokens, problems, cursors, idempotency. Resources live with their package."""
