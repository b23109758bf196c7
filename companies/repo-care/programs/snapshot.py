"""One commit of a repository, as the rules look at it, and what can be done there without a person."""

import posixpath

from findings import fixed, read_text


class Snapshot:
    def __init__(self, repository, commit):
        self.commit = commit
        self._repository = repository
        self.paths = repository.tree_paths(commit)
        self._folders = {parent for path in self.paths for parent in _parents(path)}

    def exists(self, path):
        return path in self.paths or path in self._folders

    def file(self, path):
        """The text file, or None."""
        if path not in self.paths:
            return None
        return read_text(path, self._repository.blob(self.commit, path), self.exists)

    def proposal(self, kind, path):
        """The file's text without its findings of this kind; None when only a person can tell how."""
        file = self.file(path)
        return fixed(kind, file, self.paths) if file else None


def _parents(path):
    while path := posixpath.dirname(path):
        yield path


def head(repository):
    """What is checked out, or None in a repository without a commit."""
    commit = repository.commit("HEAD")
    return Snapshot(repository, commit) if commit else None
