# SPDX-License-Identifier: GPL-2.0-only
"""The lint rules that read text, and the C counter, on samples with known faults."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import cbudget, checkpatch, kbuild, lint, lint_doc, lint_kernel, lint_text  # noqa: E402
from lab.common import Failure  # noqa: E402
from lab.lint_text import Finding  # noqa: E402

SAMPLE = r"""
// SPDX-License-Identifier: GPL-2.0-only
#define LOOP(x) do { \
	x; \
} while (0)

static const struct table names[] = {
	{ "a", 1 },
	{ "b{", 2 },
};

struct shape {
	int (*call)(int);
};

/* not_a_function(void) { */
static int flat(int a)
{
	return a;
}

__printf(1, 2)
static void deep(struct list *l)
	__must_hold(&lock)
{
	static const char * const words[] = {
		"one",
		"two",
	};

	list_for_each_entry(p, l, node) {
		if (p->x) {
			switch (p->y) {
			case 1:
				while (p->z--)
					again(p);
				break;
			default:
				break;
			}
		} else if (p->w) {
			return;
		} else {
			call('{');
		}
	}
out:
	done(l);
}

int choose(void)
{
#ifdef CONFIG_A
	if (a) {
#else
	if (b) {
#endif
		return 1;
	}
	return 0;
}

igt_main
{
	igt_fixture {
		open_it();
	}

	igt_subtest("x")
		run_it();
}
"""


class Counter(unittest.TestCase):
    def setUp(self):
        self.found = {function.name: function for function in cbudget.functions(SAMPLE)}

    def test_finds_functions_only(self):
        self.assertEqual(list(self.found), ["flat", "deep", "choose", "igt_main"])

    def test_lines(self):
        self.assertEqual(self.found["flat"].lines, 1)
        self.assertEqual(self.found["flat"].line, 17)
        # 23 lines between the braces, of which three follow the opening of a table
        self.assertEqual(self.found["deep"].lines, 23 - 3)

    def test_nesting(self):
        self.assertEqual({name: function.nesting for name, function in self.found.items()},
                         {"flat": 0, "deep": 4, "choose": 1, "igt_main": 1})

    def test_else_if_is_not_deeper(self):
        chain = "int f(void)\n{\n" + "\tif (a)\n\t\tx();\n" + "\telse if (b)\n\t\ty();\n" * 5 + "}\n"
        self.assertEqual(cbudget.functions(chain)[0].nesting, 1)

    def test_braceless_counts(self):
        self.assertEqual(cbudget.functions("void f(void)\n{\n\tfor (;;)\n\t\tif (a)\n\t\t\tfor (;;)\n\t\t\t\tg();\n}\n")[0].nesting, 3)

    def test_compound_literal_is_no_block(self):
        self.assertEqual(cbudget.functions("void f(void)\n{\n\tg(&(struct s){ .a = 1 });\n\tx = (struct s){ 1 };\n}\n")[0].nesting, 0)

    def test_percentile(self):
        self.assertEqual(cbudget.percentile(list(range(1, 11)), 90), 9)
        self.assertEqual(cbudget.percentile([7], 90), 7)
        self.assertEqual(cbudget.percentile([], 90), 0)


def body(lines):
    return "void f(void)\n{\n" + "\tg();\n" * lines + "}\n"


def rules(findings):
    return [finding.rule for finding in findings]


class Text(unittest.TestCase):
    def test_function_size(self):
        small = body(3).replace("f(", "s(") * 20
        self.assertEqual(rules(lint_text.c_budget("a.c", small + body(60))), [])
        found = list(lint_text.c_budget("a.c", small + body(61)))
        self.assertEqual(rules(found), ["function-size"])
        self.assertNotIn("hard", found[0].text)
        self.assertIn("(hard limit)", next(lint_text.c_budget("a.c", small + body(81))).text)

    def test_p90(self):
        self.assertEqual(rules(lint_text.c_budget("a.c", body(46))), ["function-p90"])

    def test_file_size(self):
        self.assertEqual(rules(lint_text.c_budget("a.h", "x\n" * 600)), [])
        self.assertEqual(rules(lint_text.c_budget("a.h", "x\n" * 601)), ["file-size"])

    def test_spdx(self):
        self.assertEqual(rules(lint_text.spdx("a.py", "#!/x\n# SPDX-License-Identifier: MIT\n")), [])
        self.assertEqual(rules(lint_text.spdx("a.py", "x = 1\n")), ["spdx"])
        self.assertEqual(rules(lint_text.spdx("a.py", "# SPDX-License-Identifier: WTFPL\n")), ["spdx"])
        self.assertEqual(rules(lint_text.spdx("LICENSES/preferred/MIT", "words\n")), [])

    def test_hosts_and_places(self):
        bad = {"see deb." + "debian.org": "host", "http://ftp.xx." + "debian.org/x": "host", "https://my.mirror" + ".example/x": "host",
               "cd /wo" + "rk/main": "place", "in /ho" + "me/joe": "place"}
        for text, rule in bad.items():
            self.assertEqual(rules(lint_text.places("a", text)), [rule], text)
        for text in ("lore.kernel.org", "drivers/wo" + "rk/main", "$HOME/ho" + "me/x", "a deb file", "/tmp/x"):
            self.assertEqual(rules(lint_text.places("a", text)), [], text)

    def test_python(self):
        self.assertEqual(rules(lint_text.python_rules("a.py", "def f(:\n")), ["python"])
        deep = "def f():\n for a in b:\n  if a:\n   while a:\n    if b:\n     c()\n"
        self.assertEqual(rules(lint_text.python_rules("a.py", deep)), ["nesting"])
        long = "def f():\n" + " x = 1\n" * 61
        self.assertEqual(rules(lint_text.python_rules("tool", "#!/usr/bin/env python3\n" + long)), ["function-size"])
        chain = "def f():\n if a:\n  b()\n" + " elif c:\n  d()\n" * 5
        self.assertEqual(rules(lint_text.python_rules("a.py", chain)), [])

    def test_shell(self):
        self.assertEqual(rules(lint_text.shell_size("x", "#!/bin/sh\n" + "true\n" * 101)), ["shell-size"])
        self.assertFalse(lint_text.is_shell("x", "#!/usr/bin/env python3\n"))

    def test_messages_are_as_narrow_as_checkpatch_wants(self):
        wide, narrow = "x" * 76 + "\n", "x" * 75 + "\n  " + "y" * 80 + "\nSigned-off-by: " + "z" * 80
        self.assertEqual(rules(lint_text.message_width("patches/messages/a.txt", wide)), ["message"])
        self.assertEqual(rules(lint_text.message_width("patches/messages/a.txt", narrow)), [])
        self.assertEqual(rules(lint_text.message_width("patches/messages/cover.txt", wide)), [])


class Files(unittest.TestCase):
    """Rules that look at several files of a repository."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="msm-test-")
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)

    def put(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        return path

    def test_layers(self):
        msm = "drivers/gpu/drm/msm"
        paths = [self.put(f"{msm}/vgpu/vgpu_hw_cp.c", '#include "msm_gpu.h"\n'),
                 self.put(f"{msm}/vgpu/vgpu_gpu.c", '#include "msm_gpu.h"\n'),
                 self.put(f"{msm}/vm/msm_vma.c", '#include "../msm_mmu.h"\n')]
        self.assertEqual([finding.path for finding in lint_text.includes(self.root, paths)], [paths[0], paths[2]])

    def test_circle(self):
        vm = "drivers/gpu/drm/msm/vm"
        paths = [self.put(f"{vm}/msm_vm_a.c", '#include "msm_vm_b.h"\n'), self.put(f"{vm}/msm_vm_b.h", ""),
                 self.put(f"{vm}/msm_vm_b.c", '#include "msm_vm_a.h"\n'), self.put(f"{vm}/msm_vm_a.h", "")]
        self.assertEqual(rules(lint_text.includes(self.root, paths)), ["include-circle"])
        self.assertEqual(rules(lint_text.includes(self.root, paths[:2])), [])

    def test_rst(self):
        source = "drivers/gpu/drm/msm/vm/a.c"
        self.put(source, "/**\n * DOC: Known\n */\n/**\n * DOC: Unread\n */\n")
        page = self.put("Documentation/gpu/p.rst", f".. kernel-doc:: {source}\n   :doc: Known\n\n"
                        f".. kernel-doc:: {source}\n   :doc: Gone\n\n.. kernel-doc:: drivers/none.c\n   :internal:\n")
        texts = [finding.text for finding in lint_text.rst_references(self.root, [page])]
        self.assertEqual(texts, [f"{source} has no 'DOC: Gone'", "drivers/none.c: no such file in the overlay",
                                 "no page in Documentation/gpu pulls 'DOC: Unread'"])

    def test_spelling(self):
        wrong = "het"[::-1]
        paths = [self.put("a.c", f"/* good\n * {wrong} */\n"), self.put("LICENSES/MIT", wrong),
                 self.put("patches/fix/a.patch", f" {wrong}\n-{wrong}\n+{wrong}\n+the\n")]
        found = list(lint_text.spelling(self.root, paths))
        self.assertEqual([(finding.path, finding.line) for finding in found], [("a.c", 2), ("patches/fix/a.patch", 3)])

    def test_shellcheck(self):
        paths = [self.put("bad.sh", "#!/bin/sh\n# SPDX\nrm $1/*\n"), self.put("good.sh", "#!/bin/sh\nrm \"$1\"\n")]
        found = list(lint_text.shellcheck(self.root, paths))
        self.assertEqual({finding.path for finding in found}, {"bad.sh"})
        self.assertEqual(found[0].line, 3)

    def test_allow_list(self):
        self.put(lint.ALLOW, "# comment\na.c: nesting: f:* # a reason\nb.c: nesting: g:* # stale\n")
        findings = [Finding("a.c", 1, "nesting", "f: 4 deep"), Finding("a.c", 2, "nesting", "g: 4 deep"),
                    Finding("a.c", 3, "nesting", "f: 90 (hard limit)")]
        kept, stale = lint.judge(findings, lint.allowances(self.root))
        self.assertEqual(([finding.line for finding in kept], [finding.line for finding in stale]), ([2, 3], [3]))
        self.put(lint.ALLOW, "a.c: nesting: f:*\n")
        with self.assertRaisesRegex(Failure, "lint-allow:1: want"):
            lint.allowances(self.root)


class Pages(unittest.TestCase):
    def test_rendered(self):
        with tempfile.TemporaryDirectory() as scratch:
            tree = Path(scratch)
            (tree / "Documentation").mkdir()
            (tree / "Documentation/conf.py").write_text("extensions = []\n")
            (tree / "Documentation/good.rst").write_text("Good\n====\n\nAll is well.\n")
            (tree / "Documentation/bad.rst").write_text("Bad\n===\n\nA *word\n\n.. nothing::\n")
            found = list(lint_doc.rendered(tree, ["Documentation/good.rst", "Documentation/bad.rst"]))
        self.assertEqual({(one.path, one.line) for one in found}, {("Documentation/bad.rst", 4), ("Documentation/bad.rst", 6)})


class Messages(unittest.TestCase):
    def test_compiler_lines(self):
        output = ("../drivers/a.c:3:5: warning: unused variable 'x' [-Wunused-variable]\n"
                  "/abs/tree/drivers/b.c:7: warning: Function parameter 'y' not described\n"
                  "../drivers/a.c:3:5: note: declared here\n"
                  "../drivers/c.c:9:1: warning: symbol 'z' was not declared. Should it be static?\n"
                  "  CC [M]  drivers/d.o\n")
        self.assertEqual([(path, line) for path, line, _ in kbuild.warnings(output)],
                         [("drivers/a.c", 3), ("drivers/b.c", 7), ("drivers/c.c", 9)])

    def test_checkpatch_lines(self):
        found = checkpatch.parse("x/0001-a.patch:8: WARNING:LONG_LINE: too long\nnoise\na.c:3: CHECK:SPACING: x (ctx:BxV)\n")
        self.assertEqual(found, [("x/0001-a.patch", 8, "WARNING", "LONG_LINE", "too long"),
                                 ("a.c", 3, "CHECK", "SPACING", "x (ctx:BxV)")])

    def test_header_alone(self):
        command = "ccache gcc -Wp,-MMD,dir/.a.o.d -DX='\"a\"' -I inc -c -o dir/a.o ../tree/dir/a.c ; objtool dir/a.o"
        text = lint_kernel.alone_command(command, "dir/a.c", "dir/h.h", "../tree")
        self.assertTrue(text.endswith("""| ccache gcc '-DX="a"' -I inc -fsyntax-only -x c -"""), text)
        self.assertIn('#include "../tree/dir/h.h"', text)


if __name__ == "__main__":
    unittest.main()
