"""`python -m disparsity`, as process launchers start it."""

from __future__ import annotations

import sys

from disparsity.cli import main

if __name__ == "__main__":
    sys.exit(main())
