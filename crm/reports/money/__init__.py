"""Reports of money: what sponsors did (Biểu 03), who bore what was paid (Biểu 05), and the bank beside the books."""
