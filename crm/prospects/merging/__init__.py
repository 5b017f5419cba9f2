"""Two records that are one person: found, compared, made one, and made two again exactly as they were."""
