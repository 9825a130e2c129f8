"""`python -m boardless`."""

import sys

from boardless.cli import main

if __name__ == "__main__":
    sys.exit(main())
