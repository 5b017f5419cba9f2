"""The An Sinh outreach register."""
