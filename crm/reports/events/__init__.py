"""Communication events: meetings, dialogues, broadcasts, leaflets; logged from a phone, with the people met there."""
