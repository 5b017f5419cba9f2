"""What every page shares: guard, language, filters, pager, error pages. Knows no package."""
