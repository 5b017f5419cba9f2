"""Communication events: logged once, counted in Biểu 04, the people met there followed up."""
