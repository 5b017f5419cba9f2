"""Official reports: counted once and frozen, worded, signed, sent; as Word, Excel and PDF in the layout offices use."""
