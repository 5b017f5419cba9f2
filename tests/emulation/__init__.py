"""Results and effort compared, and Biểu 06."""
