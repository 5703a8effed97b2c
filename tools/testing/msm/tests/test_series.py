# SPDX-License-Identifier: GPL-2.0-only
"""The series tools on a toy kernel: real patch, real git, a source of four files."""

import itertools
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import check_series, gitview, maintainers, patchfile, plan, save, series, tree  # noqa: E402
from lab.common import Failure  # noqa: E402

LINES = "".join(f"line {number}\n" for number in range(1, 31))
KERNEL_MAINTAINERS = """List of maintainers

Maintainers List
----------------

ALPHA
M:\tA <a@example.org>
F:\talpha/

GAMMA
M:\tG <g@example.org>
F:\tgamma/
"""
OURS = "BETA\nM:\tB <b@example.org>\nF:\tdrivers/new.c\n"
MESSAGE = "subject: Do it\n\nBecause it must be done.\n\nSigned-off-by: Test <test@example.org>\n"


def patch_for(path, old, new, start, context=3):
    """A one-hunk patch that replaces line `start` of a file made of LINES."""
    first = start - context
    body = [f" line {number}\n" for number in range(first, start)]
    body += [f"-{old}\n", f"+{new}\n"]
    body += [f" line {number}\n" for number in range(start + 1, start + context + 1)]
    return (f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
            f"@@ -{first},{2 * context + 1} +{first},{2 * context + 1} @@\n" + "".join(body))


class Toy(unittest.TestCase):
    """A source, a repository with one overlay file, one patch and MAINTAINERS, and an out folder."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="msm-test-")
        self.addCleanup(holder.cleanup)
        top = Path(holder.name)
        self.src, self.root, self.out = top / "src", top / "root", top / "out"
        self.tree, self.said = self.out / "tree", []
        for path, text in {"Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\n", "Kbuild": "\n",
                           "MAINTAINERS": KERNEL_MAINTAINERS, "drivers/old.c": LINES}.items():
            self.put(self.src / path, text)
        self.put(self.root / "drivers/new.c", "new\n")
        self.put(self.root / "MAINTAINERS", OURS)
        self.put(self.root / "patches/seam/one.patch", "Why.\n\n" + patch_for("drivers/old.c", "line 10", "line ten", 10))
        for name in ("first", "second"):
            self.put(self.root / f"patches/messages/{name}.txt", MESSAGE.replace("it", name, 1))
        self.put(self.root / "patches/messages/cover.txt", "cover subject\n\nCover body.\n")
        self.plan("first | seam/one | \nsecond | | drivers/new.c MAINTAINERS\n")

    @staticmethod
    def put(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def plan(self, text):
        self.put(self.root / "patches/plan", text)

    def apply(self, **kwargs):
        return tree.apply(self.src, self.tree, root=self.root, say=self.said.append, **kwargs)

    def refuses(self, *texts):
        """Applying the plan must fail and say all of these."""
        with self.assertRaises(Failure) as caught:
            self.apply()
        for text in texts:
            self.assertIn(text, str(caught.exception))


class Plan(Toy):
    def test_order_and_content(self):
        commits = plan.load(self.root)
        self.assertEqual([commit.id for commit in commits], ["first", "second"])
        self.assertEqual(commits[0].patches, ("seam/one.patch",))
        self.assertEqual(commits[1].files, ("drivers/new.c",))
        self.assertTrue(commits[1].maintainers)

    def test_unnamed_file_and_patch(self):
        self.put(self.root / "drivers/lost.c", "")
        self.put(self.root / "patches/fix/lost.patch", "")
        self.refuses("drivers/lost.c: this overlay file is not in patches/plan",
                     "patches/fix/lost.patch: this patch is not in patches/plan")

    def test_named_twice(self):
        self.plan("first | seam/one | drivers/new.c\nsecond | seam/one | drivers/* MAINTAINERS\n")
        self.refuses("drivers/new.c: this overlay file is named more than once", "patches/seam/one.patch: this patch is named more")

    def test_missing_names(self):
        self.plan("first | seam/none | \nsecond | | drivers/none.c\n")
        self.refuses("patches/plan:1: patches/seam/none.patch: no such file", "patches/plan:2: drivers/none.c: no such overlay file")

    def test_same_id_twice(self):
        self.plan("first | seam/one |\nfirst | | drivers/new.c MAINTAINERS\n")
        self.refuses("patches/plan:2: first: this commit id is there twice")

    def test_message_is_needed(self):
        (self.root / "patches/messages/first.txt").write_text("subject\n")
        (self.root / "patches/messages/second.txt").unlink()
        self.refuses("first.txt: want a subject line", "first.txt: no Signed-off-by", "second.txt: no such file")

    def test_wildcard_stops_at_slash(self):
        self.put(self.root / "drivers/deep/x.c", "")
        self.plan("first | seam/one | \nsecond | | drivers/* MAINTAINERS\n")
        self.refuses("drivers/deep/x.c: this overlay file is not in patches/plan")
        self.plan("first | seam/one | \nsecond | | drivers/ MAINTAINERS\n")
        self.assertEqual(plan.load(self.root)[1].files, ("drivers/deep/x.c", "drivers/new.c"))

    def test_new_file_in_a_seam(self):
        self.put(self.root / "patches/seam/one.patch",
                 "diff --git a/drivers/x.c b/drivers/x.c\nnew file mode 100644\n--- /dev/null\n+++ b/drivers/x.c\n@@ -0,0 +1 @@\n+x\n")
        self.refuses("drivers/x.c: a new file belongs into the overlay")


class View1(Toy):
    def test_applies(self):
        self.assertEqual(self.apply(), 3)
        self.assertEqual((self.tree / "drivers/old.c").read_text(), LINES.replace("line 10", "line ten"))
        self.assertIn("ALPHA\n", (self.tree / "MAINTAINERS").read_text().split("BETA")[0])
        self.assertEqual(self.said[-1].split(": ")[-1], "3 files of the series, 3 written")

    def test_unchanged_files_keep_their_times(self):
        self.apply()
        before = {path: (self.tree / path).stat().st_mtime_ns for path in ("drivers/old.c", "drivers/new.c", "Makefile")}
        (self.root / "drivers/new.c").write_text("newer\n")
        self.assertEqual(self.apply(), 1)
        after = {path: (self.tree / path).stat().st_mtime_ns for path in before}
        self.assertEqual([path for path in before if before[path] != after[path]], ["drivers/new.c"])

    def test_a_file_that_left_the_series(self):
        self.apply()
        (self.root / "patches/seam/one.patch").unlink()
        self.plan("second | | drivers/new.c MAINTAINERS\n")
        self.apply()
        self.assertEqual((self.tree / "drivers/old.c").read_text(), LINES)

    def test_fuzz_is_an_error(self):
        text = (self.root / "patches/seam/one.patch").read_text()
        self.put(self.root / "patches/seam/one.patch", text.replace(" line 7\n", " line seven\n"))
        self.refuses("patches/seam/one.patch: drivers/old.c: hunk #1 at line 7 does not apply")

    def test_reject_names_the_hunk(self):
        second = patch_for("drivers/old.c", "line 25 never", "line x", 25).split("+++ b/drivers/old.c\n")[1]
        path = self.root / "patches/seam/one.patch"
        path.write_text(path.read_text() + second)
        self.refuses("patches/seam/one.patch: drivers/old.c: hunk #2 at line 22 does not apply")

    def test_a_source_that_has_the_patch(self):
        self.apply()
        shutil.copy(self.tree / "drivers/old.c", self.src / "drivers/old.c")
        self.refuses("patches/seam/one.patch: drivers/old.c: the source has it already")

    def test_offset_is_a_warning(self):
        (self.src / "drivers/old.c").write_text("extra\n" + LINES)
        self.apply()
        self.assertIn("warning: 1 hunks apply at another line than in the source they were made for: drivers/old.c (1)", self.said)

    def test_refresh_removes_the_offset(self):
        (self.src / "drivers/old.c").write_text("extra\n" + LINES)
        self.assertEqual(series.refresh(self.src, root=self.root), ["seam/one.patch"])
        self.assertTrue((self.root / "patches/seam/one.patch").read_text().startswith("Why.\n\ndiff --git a/drivers/old.c"))
        self.apply()
        self.assertFalse([line for line in self.said if line.startswith("warning")])
        self.assertEqual(series.refresh(self.src, root=self.root), [])

    def test_missing_target(self):
        (self.src / "drivers/old.c").unlink()
        self.refuses("patches/seam/one.patch: drivers/old.c: no such file in the kernel source")

    def test_overlay_must_be_new(self):
        self.put(self.src / "drivers/new.c", "theirs\n")
        self.refuses("drivers/new.c: the kernel has this file already")

    def test_wrong_kernel(self):
        self.put(self.src / "Makefile", "VERSION = 6\nPATCHLEVEL = 16\nSUBLEVEL = 1\n")
        self.refuses("this is Linux 6.16.1")

    def test_too_old_a_point_release(self):
        self.put(self.src / "include/drm/gpu_scheduler.h", "int drm_sched_init(void);\n")
        self.refuses("this is Linux 6.12.7", "needs 6.12.115 or newer")

    def test_edit_is_not_lost(self):
        self.apply()
        (self.tree / "drivers/new.c").write_text("my edit\n")
        (self.root / "drivers/new.c").write_text("their edit\n")
        self.refuses("drivers/new.c: edited there", "make save")
        self.assertEqual((self.tree / "drivers/new.c").read_text(), "my edit\n")
        self.apply(force=True)
        self.assertEqual((self.tree / "drivers/new.c").read_text(), "their edit\n")

    def test_force_brings_the_source_back(self):
        self.apply()
        (self.tree / "Kbuild").unlink()
        (self.tree / "Makefile").write_text("obj-y := edited.o\n")
        self.put(self.tree / "drivers/mine.c", "mine\n")
        self.apply(force=True)
        self.assertEqual((self.tree / "Kbuild").read_text(), "\n")
        self.assertTrue((self.tree / "Makefile").read_text().startswith("VERSION = 6\n"))
        self.assertTrue((self.tree / "drivers/mine.c").exists())

    def test_work_beside_the_series_outlives_its_source(self):
        self.apply()
        self.put(self.tree / "drivers/old2.c", "mine\n")
        os.utime(self.tree / "drivers/old2.c", times=(time.time() + 5,) * 2)
        self.apply()
        self.assertTrue((self.tree / "drivers/old2.c").exists())
        self.put(self.src / "Kbuild", "of another point release\n")
        self.apply()
        kept = list(self.out.glob("tree.old-*"))
        self.assertEqual([(old / "drivers/old2.c").read_text() for old in kept], ["mine\n"])
        self.assertIn("drivers/old2.c", "".join(self.said))
        self.assertFalse((self.tree / "drivers/old2.c").exists())

    def test_a_tree_without_its_state_is_kept(self):
        self.apply()
        tree.state_of(self.tree).path.write_text("half a li")
        self.apply()
        self.assertEqual(len(list(self.out.glob("tree.old-*"))), 1)

    def test_interrupted_write(self):
        """The state of a run that died between saving its intent and the last file."""
        self.apply()
        state = tree.state_of(self.tree)
        for text in ("half done\n", "new\n"):
            state.files["drivers/new.c"] = [tree.digest(b"new\n"), tree.digest(b"half done\n")]
            state.save()
            (self.tree / "drivers/new.c").write_text(text)
            self.apply()
            self.assertEqual((self.tree / "drivers/new.c").read_text(), "new\n")

    def test_an_interruption_anywhere_in_a_change_of_source(self):
        """Each step of the disk that a new source takes is cut off once; the next run goes on."""
        self.apply()
        for number in range(40):
            self.put(self.src / "Kbuild", f"of point release {number}\n")
            if not self.interrupted_at(number):
                break
            self.apply()
            self.assertEqual((self.tree / "Kbuild").read_text(), f"of point release {number}\n")
            self.assertEqual((self.tree / "drivers/new.c").read_text(), "new\n")
        self.assertGreater(number, 4)
        self.assertEqual(list(self.out.glob("tree.old-*")), [])

    def interrupted_at(self, number):
        """Apply, but the step of that number of os.rename, os.replace and rmtree is Ctrl-C; was there one?"""
        calls = itertools.count()

        def cut(real):
            def step(*args, **words):
                if next(calls) == number:
                    raise KeyboardInterrupt
                return real(*args, **words)
            return step
        with mock.patch("os.rename", cut(os.rename)), mock.patch("os.replace", cut(os.replace)), \
                mock.patch("lab.common.shutil.rmtree", cut(shutil.rmtree)):
            try:
                self.apply()
            except KeyboardInterrupt:
                return True
        return False


class View2(Toy):
    def make(self):
        return series.make(self.src, root=self.root, out=self.out)

    def test_equal_views_and_mails(self):
        repo, base, made = self.make()
        self.assertEqual(len(made), 2)
        files = series.mails(repo, base, made, root=self.root, out=self.out)
        self.assertEqual(len(files), 3)
        self.assertIn("Cover body.", files[0].read_text())
        self.assertIn("0/2] cover subject", files[0].read_text())
        series.prove_am(repo, base, made, files)

    def test_hashes_are_reproducible(self):
        first = self.make()[2][-1][1]
        self.assertEqual(self.make()[2][-1][1], first)

    def test_difference_is_found(self):
        repo, _, made = self.make()
        for path, text in (("Kbuild", "edited\n"), ("drivers/stray.c", "stray\n")):
            (self.tree / path).write_text(text)
            with self.assertRaisesRegex(Failure, path):
                gitview.assert_equal(repo, made[-1][1], self.tree)
            (self.tree / path).unlink()
            if path == "Kbuild":
                (self.tree / path).write_text("\n")

    def test_damaged_mail_is_found(self):
        repo, base, made = self.make()
        files = series.mails(repo, base, made, root=self.root, out=self.out)
        files[1].write_text(files[1].read_text().replace("+line ten", "+line 10 again"))
        with self.assertRaisesRegex(Failure, "another tree"):
            series.prove_am(repo, base, made, files)
        files[1].write_text(files[1].read_text().replace(" line 9", " line nine"))
        with self.assertRaisesRegex(Failure, "git am refuses"):
            series.prove_am(repo, base, made, files)

    def test_check_series_applies_the_mails(self):
        real, started = series.mails, []

        def damaged(*args, **words):
            files = real(*args, **words)
            files[1].write_text(files[1].read_text().replace(" line 9", " line nine"))
            return files
        with mock.patch.object(check_series, "_check", lambda due, *rest: started.append(len(due)) or []):
            with mock.patch.object(series, "mails", damaged), self.assertRaisesRegex(Failure, "git am refuses"):
                check_series.check(self.src, root=self.root, out=self.out)
            self.assertEqual(started, [])
            self.assertEqual(check_series.check(self.src, root=self.root, out=self.out), [])
        self.assertEqual(started, [2])

    def test_author_line(self):
        path = self.root / "patches/messages/first.txt"
        path.write_text("From: Some Body <some@example.org>\n\n" + MESSAGE)
        repo, base, made = self.make()
        self.assertEqual(repo.line("show", "-s", "--format=%an <%ae>|%cn|%s", made[0][1]),
                         "Some Body <some@example.org>|Test|subject: Do it")
        self.assertEqual(repo.line("show", "-s", "--format=%an", made[1][1]), "Test")


class Save(Toy):
    def test_a_lost_file_is_not_taken_from_the_repository(self):
        (self.tree / "drivers/new.c").unlink()
        self.assertIn("gone from the tree", self.save()[1][0])
        self.assertTrue((self.root / "drivers/new.c").exists())

    def save(self, into=None):
        return save.save(self.root, self.src, self.tree, into)

    def setUp(self):
        super().setUp()
        self.apply()

    def test_nothing(self):
        self.assertEqual(self.save(), ([], []))

    def test_overlay_file(self):
        (self.tree / "drivers/new.c").write_text("edited\n")
        self.assertEqual(self.save(), (["drivers/new.c: copied back"], []))
        self.assertEqual((self.root / "drivers/new.c").read_text(), "edited\n")

    def test_new_file(self):
        self.put(self.tree / "drivers/more.c", "more\n")
        done, refused = self.save()
        self.assertEqual((len(done), refused), (1, []))
        self.assertEqual((self.root / "drivers/more.c").read_text(), "more\n")

    def test_products_are_not_saved(self):
        self.put(self.src / ".gitignore", "*.o\n/drivers/generated/\n")
        self.apply()
        for path in ("drivers/old.o", "drivers/generated/table.c"):
            self.put(self.tree / path, "made\n")
        self.assertEqual(self.save(), ([], []))

    def test_both_sides(self):
        (self.tree / "drivers/new.c").write_text("edited\n")
        (self.root / "drivers/new.c").write_text("other\n")
        done, refused = self.save()
        self.assertEqual(done, [])
        self.assertIn("edited in the tree and in the repository", refused[0])

    def test_patched_file(self):
        old = self.tree / "drivers/old.c"
        old.write_text(old.read_text().replace("line 20", "line twenty"))
        self.assertEqual(self.save()[1], [])
        wanted = old.read_text()
        self.apply()
        self.assertEqual(old.read_text(), wanted)
        self.assertTrue((self.root / "patches/seam/one.patch").read_text().startswith("Why.\n"))

    def test_two_patches(self):
        self.put(self.root / "patches/seam/two.patch", patch_for("drivers/old.c", "line 20", "line twenty", 20))
        self.plan("first | seam/one, seam/two | \nsecond | | drivers/new.c MAINTAINERS\n")
        self.apply()
        old = self.tree / "drivers/old.c"
        old.write_text(old.read_text().replace("line 28", "line twenty-eight"))
        self.assertIn("several patches", self.save()[1][0])
        self.assertEqual(self.save("seam/two")[1], [])
        wanted = old.read_text()
        self.apply()
        self.assertEqual(old.read_text(), wanted)

    def test_unpatched_file(self):
        (self.tree / "Kbuild").write_text("obj-y += drivers/\n")
        self.assertIn("no patch changes this file yet", self.save()[1][0])
        self.assertEqual(self.save("seam/kbuild")[1], [])
        self.assertIn("+obj-y += drivers/", (self.root / "patches/seam/kbuild.patch").read_text())


class Pieces(unittest.TestCase):
    def test_maintainers_place(self):
        merged = maintainers.merge(KERNEL_MAINTAINERS, OURS)
        titles = [line for line in merged.splitlines() if line in ("ALPHA", "BETA", "GAMMA")]
        self.assertEqual(titles, ["ALPHA", "BETA", "GAMMA"])
        self.assertEqual(merged.replace(OURS + "\n", ""), KERNEL_MAINTAINERS)
        with self.assertRaisesRegex(Failure, "already"):
            maintainers.merge(merged, OURS)

    def test_maintainers_place_in_an_unsorted_list(self):
        stray = KERNEL_MAINTAINERS.replace("ALPHA\n", "ZETA\nM:\tZ <z@example.org>\n\nALPHA\n")
        merged = maintainers.merge(stray, OURS)
        self.assertEqual([line for line in merged.splitlines() if line in ("ZETA", "ALPHA", "BETA", "GAMMA")],
                         ["ZETA", "ALPHA", "BETA", "GAMMA"])

    def test_maintainers_cover(self):
        ours = "X\nF:\ta/\nF:\tb/c_*\n"
        self.assertEqual([maintainers.covers(ours, path) for path in ("a/b/c", "b/c_d.c", "b/c_d/e", "b/d")],
                         [True, True, False, False])

    def test_mail_signature_is_no_diff(self):
        patch = patchfile.parse("seam/x", patch_for("f", "line 5", "x", 5) + "-- \n2.39.5\n\n")
        self.assertNotIn("2.39.5", patch.text())

    def test_patch_without_diff(self):
        with self.assertRaisesRegex(Failure, "changes nothing"):
            patchfile.parse("seam/x", "words only\n")

    def test_build_targets(self):
        self.assertEqual(check_series.targets(["drivers/iommu/io-pgtable-arm.c", "Documentation/x.rst"]),
                         ["drivers/gpu/drm/msm/", "drivers/iommu/io-pgtable-arm.o"])
        self.assertIn("drivers/gpu/drm/tests/", check_series.targets(["include/drm/drm_gpuvm.h"]))

    def test_exports(self):
        with tempfile.TemporaryDirectory(prefix="msm-test-") as folder:
            (Path(folder) / "a.c").write_text("EXPORT_SYMBOL(one);\n/* EXPORT_SYMBOL(no) */\nEXPORT_SYMBOL_GPL(two);\n"
                                              "EXPORT_SYMBOL_NS_GPL(three, \"X\");\nEXPORT_TRACEPOINT_SYMBOL(four);\n")
            (Path(folder) / "b.txt").write_text("EXPORT_SYMBOL(five);\n")
            self.assertEqual(check_series.exports(folder, ["."]), {"one", "two", "three", "four"})


if __name__ == "__main__":
    unittest.main()
