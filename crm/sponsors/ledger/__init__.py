"""The account book under sponsors' money: booking, months that close, acts for which it takes two people."""
