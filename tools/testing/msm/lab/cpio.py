# SPDX-License-Identifier: GPL-2.0-only
"""An initramfs archive ("newc" cpio) from a list of entries, without root and without mknod.

The layout is the kernel's, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import os
import stat


class Writer:
    """Collects entries; folders appear once and before their contents."""

    def __init__(self, stream):
        self.stream = stream
        self.number = 0
        self.folders = set()

    def folder(self, path):
        path = path.strip("/")
        if not path or path in self.folders:
            return
        self.folder(os.path.dirname(path))
        self.folders.add(path)
        self._entry(path, stat.S_IFDIR | 0o755, b"")

    def file(self, path, data, mode=0o644):
        self._parent(path)
        self._entry(path.strip("/"), stat.S_IFREG | mode, data)

    def link(self, path, target):
        self._parent(path)
        self._entry(path.strip("/"), stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor):
        """A character device."""
        self._parent(path)
        self._entry(path.strip("/"), stat.S_IFCHR | 0o600, b"", (major, minor))

    def tree(self, source, path):
        """Everything below the host folder source, as path."""
        for base, folders, files in os.walk(source):
            folders.sort()
            here = os.path.join(path, os.path.relpath(base, source)) if base != str(source) else path
            self.folder(here)
            for name in sorted(files):
                self._copy(os.path.join(base, name), os.path.join(here, name))

    def close(self):
        self._entry("TRAILER!!!", 0, b"")

    def _parent(self, path):
        self.folder(os.path.dirname(path.strip("/")))

    def _copy(self, source, path):
        if os.path.islink(source):
            self.link(path, os.readlink(source))
            return
        with open(source, "rb") as stream:
            self.file(path, stream.read(), stat.S_IMODE(os.stat(source).st_mode))

    def _entry(self, path, mode, data, device=(0, 0)):
        self.number += 1
        name = path.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        self._padded(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        self._padded(data)

    def _padded(self, data):
        self.stream.write(data + b"\0" * (-len(data) % 4))
