"""Tests. While the program is loaded nothing becomes garbage: looking for it would take two fifths of the time."""

import gc

gc.disable()
