"""What development needs beside tests and benchmarks."""
