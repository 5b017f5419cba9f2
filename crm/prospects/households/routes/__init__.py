"""Pages of households and of the annual review."""
