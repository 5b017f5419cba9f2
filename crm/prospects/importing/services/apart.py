"""Understanding a file in a process of its own: this one waits for the database meanwhile.

A plain child with two pipes, for a background worker may have no children of multiprocessing. It is told what is asked,
answers one pickled word after the other, and ends by itself when nobody listens any more.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from crm import sealed
from crm.prospects.importing.services.understanding import Asked, Said, understood

TOO_FEW = 300_000
"""Bytes of a file up to which a process costs more than it spares."""
MODULE = "crm.prospects.importing.services.apart"


class EndedEarly(Exception):
    """The other process went away in the middle of the file."""


def said_of(asked: Asked) -> Iterator[Said]:
    """What is said of the file, by another process when it is large. Raises EndedEarly."""
    return understood(asked) if len(asked.content) <= TOO_FEW else understood_apart(asked)


def understood_apart(asked: Asked) -> Iterator[Said]:
    """`understood`, in another process. Raises EndedEarly."""
    child = subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert child.stdin
    assert child.stdout
    try:
        with suppress(BrokenPipeError), child.stdin:
            pickle.dump(asked, child.stdin, pickle.HIGHEST_PROTOCOL)
        while (said := pickle.load(child.stdout)) is not None:  # noqa: S301 – our own process
            yield said
    except EOFError:
        raise EndedEarly from None
    finally:
        child.stdout.close()
        child.kill()
        child.wait()


def main() -> None:
    """The other process: it lives for one file, and leaves nothing to be tidied up."""
    asked: Asked = pickle.load(sys.stdin.buffer)  # noqa: S301 – our own process
    sealed.use(asked.seal)
    gc.disable()  # what is kept is kept to the end of the file
    with suppress(BrokenPipeError):
        for said in chain(understood(asked), (None,)):
            pickle.dump(said, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
