"""After a restore: what waits to be sent beside what the carrier says it has sent already."""
