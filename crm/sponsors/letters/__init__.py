"""What sponsors and everybody see of the money: the private page, papers with a number to verify, the fund's page."""
