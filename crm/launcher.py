"""`launcher.py PARENT PROGRAM ARGUMENT …` becomes the program, which ends when its parent dies.

A script of its own: to prepare a child between fork and exec is not safe in a process that has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become(parent: int, argv: list[str]) -> None:
    """Replace this process by the program, to which the kernel sends SIGTERM when the parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
