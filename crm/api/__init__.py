"""What every API call shares: tokens, problems, cursors, idempotency. Resources live with their package."""

from crm.api import words

words.say_ours()  # before any schema is written: fields keep the words they find
