"""The link to confirm a contribution with, texted to whoever registered with a mobile number alone."""
