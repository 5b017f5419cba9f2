"""What an operator does with the whole installation; `crm doctor` stands apart, for it asks many packages."""
