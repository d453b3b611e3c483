"""Whether a file stands on a network file system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_NETWORK: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "gfs2", "glusterfs", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "virtiofs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"}
)
_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def network_file_system(path: str, mounts: Path = _MOUNTS) -> str | None:
    """The kind of network file system on which ``path`` (absolute) stands; ``None``: on none, or that is not known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    real = str(Path(path).resolve())
    longest, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4]) if len(fields) > 4 else ""  # noqa: PLR2004
        # A later mount hides an earlier one at the same point.
        if point and len(point) >= longest and (real == point or real.startswith(point.rstrip("/") + "/")):
            longest, kind = len(point), after.partition(" ")[0]
    return kind if kind in _NETWORK else None
