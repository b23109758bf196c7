#!/usr/bin/env python3
"""The rules, fixes and git manners of companies/repo-care, without an engine."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
COMPANY = pathlib.Path(__file__).resolve().parents[2] / "companies/repo-care"
sys.path.insert(0, str(COMPANY / "programs"))

from findings import KINDS, File, filed, find, findings_in, fixed  # noqa: E402
from repository import GitError, Repository  # noqa: E402
from snapshot import head  # noqa: E402

FILES = {"README.md", "docs/how.md", "docs/twice.md", "old/twice.md"}


def file(path, text):
    return File(path, text, lambda wanted: wanted in FILES)


def found(path, text):
    """{kind: lines} of what the rules say."""
    return {f.kind: [place.line for place in f.places] for f in findings_in(file(path, text))}


class Rules(unittest.TestCase):
    def test_each_says_where(self):
        self.assertEqual(found("a.txt", "a\nb \n\t\n"), {"trailing-whitespace": [2, 3]})
        self.assertEqual(found("a.txt", "a\nb"), {"no-final-newline": [2]})
        self.assertEqual(found("a.c", "x\n<<<<<<< me\n1\n=======\n2\n>>>>>>> you\n"), {"conflict-markers": [2, 4, 6]})
        self.assertEqual(found("a.py", "x = 1\nif x\n"), {"python-syntax": [2]})
        self.assertEqual(found("a.sh", "#!/bin/sh\ncd x\nrm y\n"), {"careless-shell": [1]})
        self.assertEqual(found("a.c", "int a;\n// TODO more\n"), {"left-behind": [2]})
        self.assertEqual(found("a.md", "[x](how.md)\n[y](docs/how.md#z)\n"), {"broken-link": [1]})

    def test_what_is_meant_so_is_none(self):
        for path, text in {
            "empty.txt": "",
            "crlf.txt": "a\r\nb\r\n",
            "break.md": "a line break  \nhere\n",
            "heading.md": "Title\n=======\n",
            "strict.sh": "#!/bin/bash\nset -euo pipefail\ncd x\nrm y\n",
            "by-name.sh": "#!/usr/bin/env bash\nset -o errexit\ncd x\nrm y\n",
            "flag.sh": "#!/bin/sh -eu\ncd x\nrm y\n",
            "one.sh": "#!/bin/sh\nexec something\n",
            "word.c": "void todo();  // see the TODOs below\n",
            "code.md": "`[x](gone.md)` and\n```\n[y](gone.md)\n```\n",
            "other.md": "[a](https://x.example/y.md) [b](#part) [c](mailto:a@b.example) [d](../../up.md) [e](/abs.md)\n",
        }.items():
            with self.subTest(path):
                self.assertEqual(found(path, text), {})

    def test_a_fingerprint_follows_the_lines_and_not_their_numbers(self):
        first = findings_in(file("a.txt", "b \n"))[0]
        self.assertEqual(first.fingerprint, findings_in(file("a.txt", "new\nb \n"))[0].fingerprint)
        self.assertNotEqual(first.fingerprint, findings_in(file("a.txt", "c \n"))[0].fingerprint)
        self.assertNotEqual(first.fingerprint, findings_in(file("z.txt", "b \n"))[0].fingerprint)

    def test_an_issue_says_what_it_is_about(self):
        finding = findings_in(file("a ``` \"b\".txt", "``` \n"))[0]
        about = filed({"description": finding.description})
        self.assertEqual((about.kind, about.path, about.fingerprint), (finding.kind, finding.path, finding.fingerprint))
        for description in (None, "", "repo-care: no", "repo-care: []", "repo-care: {}",
                            'repo-care: {"kind":"x","path":"a","fingerprint":"b"}',
                            'repo-care: {"kind":"left-behind","path":1,"fingerprint":"b"}'):
            self.assertIsNone(filed({"description": description}), description)


class Fixes(unittest.TestCase):
    def test_each_takes_away_its_finding_and_nothing_else(self):
        self.assertEqual(fixed("trailing-whitespace", file("a.txt", "a \r\nb\t\n"), FILES), "a\r\nb\n")
        self.assertEqual(fixed("no-final-newline", file("a.txt", "a\r\nb"), FILES), "a\r\nb\r\n")
        self.assertEqual(fixed("broken-link", file("docs/a.md", "`(x.md)` [x](../how.md#part)\n"), FILES),
                         "`(x.md)` [x](how.md#part)\n")

    def test_a_person_is_asked_when_there_is_no_certain_one(self):
        self.assertIsNone(fixed("broken-link", file("a.md", "[x](twice.md)\n"), FILES))
        self.assertIsNone(fixed("broken-link", file("a.md", "[x](gone.md) [y](how.md)\n"), FILES))
        for kind, rule in KINDS.items():
            if rule.fix is None:
                self.assertIsNone(fixed(kind, file("a.sh", "#!/bin/sh\ncd x\nrm y # TODO\n"), FILES))


class Manners(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.outside = pathlib.Path(folder.name)
        self.root = self.outside / "repository"
        self.root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("notes.txt", "a \n")
        self.commit()
        self.repository = Repository(str(self.root))

    def git(self, *arguments):
        done = subprocess.run(["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", *arguments],
                              cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout

    def write(self, path, text):
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "A step")

    def propose(self):
        base = head(self.repository)
        text = base.proposal("trailing-whitespace", "notes.txt")
        return self.repository.commit_file("fix", base.commit, "notes.txt", text.encode(), "Fix\n")

    def test_a_fix_is_made_without_touching_what_is_checked_out(self):
        self.write("other.txt", "not committed\n")
        before = self.git("status", "--porcelain")
        commit = self.propose()
        self.assertEqual(self.git("status", "--porcelain"), before)
        self.assertEqual(self.git("show", f"{commit}:notes.txt"), "a\n")
        self.assertEqual((self.root / "notes.txt").read_text(), "a \n")
        self.repository.merge("fix", "Merge")
        self.assertEqual((self.root / "notes.txt").read_text(), "a\n")
        self.assertEqual(self.git("status", "--porcelain"), before)

    def test_a_merge_that_fails_leaves_all_as_it_was(self):
        self.propose()
        self.write("notes.txt", "something else\n")
        self.commit()
        before = self.git("rev-parse", "HEAD")
        with self.assertRaises(GitError):
            self.repository.merge("fix", "Merge")
        self.assertEqual((self.git("rev-parse", "HEAD"), self.git("status", "--porcelain")), (before, ""))

    def test_no_hook_runs(self):
        hooks = self.root / ".git/hooks"
        hooks.mkdir(exist_ok=True)
        for name in ("post-merge", "post-checkout", "reference-transaction", "pre-merge-commit"):
            (hooks / name).write_text(f"#!/bin/sh\ntouch '{self.outside}/ran'\n")
            (hooks / name).chmod(0o755)
        self.propose()
        self.repository.merge("fix", "Merge")
        self.repository.delete_branch("fix")
        self.assertFalse((self.outside / "ran").exists())

    def test_links_are_not_followed(self):
        secret = self.outside / "secret.txt"
        secret.write_text("secret ")
        os.symlink(secret, self.root / "link.txt")
        self.commit()
        self.assertNotIn("link.txt", {finding.path for finding in find(self.repository)})
        self.assertIsNone(self.repository.read("link.txt"))
        self.assertIsNone(self.repository.read("../secret.txt"))

    def test_a_stamp_changes_with_the_work_tree(self):
        stamps = {self.repository.stamp()}
        self.write("new.txt", "1\n")
        stamps.add(self.repository.stamp())
        self.write("new.txt", "22\n")
        stamps.add(self.repository.stamp())
        self.commit()
        stamps.add(self.repository.stamp())
        self.assertEqual(len(stamps), 4)
        self.assertIn(self.repository.stamp(), stamps)

    def test_a_repository_without_a_commit_has_findings(self):
        empty = self.outside / "empty"
        empty.mkdir()
        subprocess.run(["git", "init", "--quiet"], cwd=empty, check=True)
        (empty / "a.txt").write_text("a")
        repository = Repository(str(empty))
        self.assertEqual([finding.kind for finding in find(repository)], ["no-final-newline"])
        self.assertIsNone(head(repository))
        self.assertTrue(repository.stamp())


if __name__ == "__main__":
    unittest.main()
