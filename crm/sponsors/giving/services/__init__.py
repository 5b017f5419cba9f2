"""Acts: registering and confirming, promises and their schedules, reminders."""
