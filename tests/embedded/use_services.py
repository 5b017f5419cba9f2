"""A command that uses the services of a directory until its standard input is closed."""

import json
import sys
from pathlib import Path

from crm.embedded.services import start

if __name__ == "__main__":
    with start(Path(sys.argv[1]), durable=False) as running:
        print(json.dumps([running.migrate_database_url, running.redis_url]), flush=True)
        sys.stdin.read()
