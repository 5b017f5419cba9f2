"""Reorganisations of wards and communes: what they change, drawn by date, and who looks after what afterwards."""
