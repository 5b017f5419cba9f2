"""The cliff: whose months nobody carries on, who was told of it, and the renewal that goes on with them."""
