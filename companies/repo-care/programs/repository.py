"""A git work tree, as careful guests use it: no hooks, no prompts, no pagers, nothing outside it.

What this company remembers of a repository is in its .git/repo-care/.
"""

import hashlib
import json
import os
import stat
import subprocess
import tempfile

_IDENTITY = "Paperclip repo-care"
_EMAIL = "repo-care@paperclip.invalid"
MAX_TEXT_BYTES = 1 << 20


class GitError(Exception):
    """git refused; the message is what it said."""


class Repository:
    def __init__(self, folder):
        if not os.path.isdir(folder):
            raise SystemExit(f"{folder}: expected the folder of a git repository")
        self.root = os.path.realpath(folder)
        self.root = os.path.realpath(self.git("rev-parse", "--show-toplevel").strip())
        self.own = os.path.join(self.git("rev-parse", "--absolute-git-dir").strip(), "repo-care")

    # --- git

    def git(self, *arguments, input=None, index=None, check=True):
        """What git prints. Raises GitError, or gives None for `check=False`, when it fails."""
        output = self.git_bytes(*arguments, input=input, index=index, check=check)
        return None if output is None else os.fsdecode(output)

    def git_bytes(self, *arguments, input=None, index=None, check=True):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment.update(
            GIT_TERMINAL_PROMPT="0", LC_ALL="C", GIT_LITERAL_PATHSPECS="1", GIT_OPTIONAL_LOCKS="0",
            GIT_AUTHOR_NAME=_IDENTITY, GIT_AUTHOR_EMAIL=_EMAIL,
            GIT_COMMITTER_NAME=_IDENTITY, GIT_COMMITTER_EMAIL=_EMAIL)
        if index:
            environment["GIT_INDEX_FILE"] = index
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "core.fsmonitor=false",
                   "-c", "core.quotePath=false", "-c", "gc.auto=0", *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, input=input, capture_output=True)
        if done.returncode == 0:
            return done.stdout
        if not check:
            return None
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise GitError(f"git {arguments[0]} in {self.root}: {said}")

    def commit(self, name):
        """The id of the commit that `name` stands for, or None."""
        found = self.git("rev-parse", "-q", "--verify", name + "^{commit}", check=False)
        return found and found.strip()

    # --- the work tree

    def paths(self):
        """The files of the work tree that git knows or would know, without links and submodules."""
        listed = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return sorted(path for path in set(listed) if path and self._is_own_file(path))

    def _is_own_file(self, path):
        try:
            path.encode()
            mode = os.lstat(os.path.join(self.root, path)).st_mode
        except (UnicodeEncodeError, OSError):
            return False
        folder = os.path.realpath(os.path.join(self.root, os.path.dirname(path)))
        return stat.S_ISREG(mode) and (folder + "/").startswith(self.root + "/")

    def read(self, path):
        """The file's bytes in the work tree (the first MAX_TEXT_BYTES + 1), or None when there is none."""
        if not self._is_own_file(path):
            return None
        try:
            with open(os.path.join(self.root, path), "rb") as file:
                return file.read(MAX_TEXT_BYTES + 1)
        except OSError:
            return None

    def size(self, path):
        return os.lstat(os.path.join(self.root, path)).st_size

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def changed(self):
        """The paths whose work is not committed."""
        entries = self.git("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames").split("\0")
        return {entry[3:] for entry in entries if entry}

    def stamp(self):
        """Changes whenever the work tree does; cheap, because only what is not committed is looked at."""
        parts = [self.commit("HEAD") or "", self.git("ls-files", "-s", "-z")]
        for path in sorted(self.changed()):
            try:
                seen = os.lstat(os.path.join(self.root, path))
                parts.append(f"{path}\0{seen.st_mtime_ns}\0{seen.st_size}\0{seen.st_ino}")
            except OSError:
                parts.append(f"{path}\0gone")
        return hashlib.sha256(os.fsencode("\0\0".join(parts))).hexdigest()

    # --- commits

    def blob(self, commit, path):
        """The file's bytes in a commit, or None."""
        return self.git_bytes("cat-file", "blob", f"{commit}:{path}", check=False)

    def tree_paths(self, commit):
        return set(self.git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")) - {""}

    def commit_file(self, branch, base, path, content, message):
        """Makes `branch` a commit on `base` in which `path` is `content`. The work tree stays as it is."""
        mode = self.git("ls-tree", base, "--", path).split(" ", 1)[0]
        blob = self.git("hash-object", "-w", "--stdin", input=content).strip()
        os.makedirs(self.own, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.own) as folder:
            index = os.path.join(folder, "index")
            self.git("read-tree", base, index=index)
            self.git("update-index", "--cacheinfo", f"{mode},{blob},{path}", index=index)
            tree = self.git("write-tree", index=index).strip()
        commit = self.git("commit-tree", tree, "-p", base, input=message.encode()).strip()
        self.git("update-ref", "refs/heads/" + branch, commit)
        return commit

    def diff(self, base, commit):
        return self.git("diff", "--no-ext-diff", "--no-textconv", "--no-color", base, commit)

    def files_between(self, base, commit):
        return set(self.git("diff", "--no-ext-diff", "--no-renames", "-z", "--name-only", base, commit).split("\0")) - {""}

    def merge(self, branch, message):
        """Merges into what is checked out; on failure all is as it was, and GitError says why."""
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"):
            if os.path.exists(os.path.join(os.path.dirname(self.own), name)):
                raise GitError(f"a merge or rebase is under way in {self.root} ({name})")
        try:
            self.git("merge", "--quiet", "--no-edit", "--no-stat", "-m", message, "refs/heads/" + branch)
        except GitError:
            if self.commit("MERGE_HEAD"):
                self.git("merge", "--abort")
            raise

    def delete_branch(self, branch):
        self.git("update-ref", "-d", "refs/heads/" + branch, check=False)

    # --- what is remembered

    def remember(self, name, value):
        os.makedirs(self.own, exist_ok=True)
        file = os.path.join(self.own, name + ".json")
        with open(file + ".new", "w", encoding="utf-8") as out:
            json.dump(value, out)
        os.replace(file + ".new", file)

    def recall(self, name):
        try:
            with open(os.path.join(self.own, name + ".json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None
