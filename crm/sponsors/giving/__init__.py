"""How a sponsor comes and promises: the public page, the confirmation, schedules of instalments and their reminders."""
