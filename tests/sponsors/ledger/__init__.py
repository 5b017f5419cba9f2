"""The account book under sponsors' money."""
