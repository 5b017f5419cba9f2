"""Towns, wards, communes and neighbourhoods: dated, with predecessors and successors."""
