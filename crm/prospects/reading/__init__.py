"""Reading lists of people as offices keep them: spreadsheets and text files into proposed people. No database here."""
