"""`python -m crm.embedded.watchman DIRECTORY`: stops the services if all who used them were killed."""

import sys
import time
from pathlib import Path

from crm.embedded.directory import Lock, door, nobody_uses
from crm.embedded.halting import halt

LOOK_EVERY = 1.0  # seconds; waiting for the lock itself would look to the last one out like one more user


def watch(data_dir: Path) -> None:
    """Wait until nobody uses the services, then stop them. There is one watchman to a directory."""
    with Lock(data_dir / "watch.lock") as post:
        if not post.take_if_free():
            return
        while True:
            time.sleep(LOOK_EVERY)
            with door(data_dir):
                if nobody_uses(data_dir):
                    halt(data_dir)  # after a proper stop there is nothing left to do
                    post.let_go()
                    return


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
