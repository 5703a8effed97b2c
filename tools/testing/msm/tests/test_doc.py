# SPDX-License-Identifier: GPL-2.0-only
"""Tests of Documentation/gpu/msm-vm-bind.rst: the examples are the programs', and no file of the driver is left out."""

import re
import sys
import textwrap
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import common  # noqa: E402

PAGE = common.ROOT / "Documentation/gpu/msm-vm-bind.rst"
EXAMPLES = common.ROOT / "tools/testing/msm/igt/vm_example.c"
DRIVER = common.ROOT / "drivers/gpu/drm/msm"


def code_blocks(text):
    """The C code of a page, without its indentation."""
    found = re.findall(r"^\.\. code-block:: c\n\n((?:(?: {4}.*)?\n)+)", text, re.M)
    return [textwrap.dedent(block).strip("\n") for block in found]


def functions(text):
    """{name: the function with the comment line above it}"""
    return {found[2]: found[1] for found in re.finditer(r"^(/\*[^\n]*\*/\nint (\w+)\(.*?^})$", text, re.M | re.S)}


class Examples(unittest.TestCase):
    def test_the_page_has_each_example_word_for_word(self):
        examples = functions(EXAMPLES.read_text())
        self.assertEqual(len(examples), 6)
        self.assertEqual(sorted(examples.values()), sorted(code_blocks(PAGE.read_text())))

    def test_each_example_is_run(self):
        runner = EXAMPLES.with_name("msm_vm_example.c").read_text()
        for name in functions(EXAMPLES.read_text()):
            self.assertIn(f"{name}(", runner)


class Files(unittest.TestCase):
    def test_the_page_names_every_file_of_the_driver(self):
        text = PAGE.read_text()
        for path in sorted((DRIVER / "vm").glob("*.[ch]")):
            names = (f"vm/{path.stem}.[ch] ", f"vm/{path.name} ")
            self.assertTrue(any(name in text for name in names), path.name)

    def test_the_page_names_no_file_that_is_not_there(self):
        for name in re.findall(r"^((?:vm/)?msm_\w+)\.(?:\[ch\]|h) ", PAGE.read_text(), re.M):
            self.assertTrue((DRIVER / f"{name}.h").exists(), name)


if __name__ == "__main__":
    unittest.main()
