"""``python -m deconv``."""

import sys

from deconv.cli import main

if __name__ == "__main__":
    sys.exit(main())
