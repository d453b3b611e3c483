"""``python -m exqueue.persistence.fsck``: check a store from a shell. The function is `exqueue.persistence.fsck`."""

from __future__ import annotations

import sys

from exqueue.persistence.inspection.check import fsck
from exqueue.persistence.inspection.shell import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Whoever imports this as a module would else find it where the function of the same name is looked for.
sys.modules[__name__] = fsck  # type: ignore[assignment]
