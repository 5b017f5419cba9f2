"""Work packages: people given to a volunteer until a day, who come back by themselves when nobody met them."""
