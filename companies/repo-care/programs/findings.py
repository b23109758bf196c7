"""What is wrong in a repository, by rules that say the same of the same files each time, and the fixes that
cannot change what a program does."""

import ast
import dataclasses
import hashlib
import json
import posixpath
import re
import urllib.parse
import warnings

from repository import MAX_TEXT_BYTES

LARGE_FILE_BYTES = 5 << 20
_MARK = "repo-care: "
_MAX_LINES_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Place:
    line: int  # from 1; 0: the file as a whole
    text: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """One kind of problem in one file."""

    kind: str
    path: str
    places: tuple  # of Place, never empty

    @property
    def fingerprint(self):
        """The same wherever in the file the lines are, so that a finding is filed once."""
        texts = sorted(place.text for place in self.places)
        return hashlib.sha256("\0".join([self.kind, self.path, *texts]).encode()).hexdigest()[:16]

    @property
    def where(self):
        first = self.places[0].line
        return f"{self.path}:{first}" if first else self.path

    @property
    def title(self):
        more = len(self.places) - 1
        rest = "" if more == 0 else f" and {more} more line{'s' if more > 1 else ''}"
        return f"{KINDS[self.kind].title}: {self.where}{rest}"

    @property
    def priority(self):
        return KINDS[self.kind].priority

    @property
    def description(self):
        kind = KINDS[self.kind]
        shown = [f"{self.path}:{p.line}: {p.text[:200]}" if p.line else f"{self.path}: {p.text[:200]}"
                 for p in self.places[:_MAX_LINES_SHOWN]]
        if len(self.places) > _MAX_LINES_SHOWN:
            shown.append(f"… and {len(self.places) - _MAX_LINES_SHOWN} more lines")
        fence = "```"
        while any(fence in line for line in shown):
            fence += "`"
        mark = json.dumps({"kind": self.kind, "path": self.path, "fingerprint": self.fingerprint})
        return f"{kind.why}\n\n{fence}\n" + "\n".join(shown) + f"\n{fence}\n\n{_MARK}{mark}\n"


@dataclasses.dataclass(frozen=True)
class Filed:
    """What an issue's description says that it is about."""

    kind: str
    path: str
    fingerprint: str


def filed(issue):
    """The finding that an issue is about, or None: then a person wrote it."""
    for line in reversed((issue.get("description") or "").splitlines()):
        if not line.startswith(_MARK):
            continue
        try:
            mark = json.loads(line[len(_MARK):])
            about = Filed(mark["kind"], mark["path"], mark["fingerprint"])
        except (ValueError, KeyError, TypeError):
            return None
        known = about.kind in KINDS and isinstance(about.path, str) and isinstance(about.fingerprint, str)
        return about if known else None
    return None


@dataclasses.dataclass(frozen=True)
class File:
    """A text file as the rules look at it."""

    path: str
    text: str
    exists: object  # (path) -> bool: is there such a file or folder in the repository?

    @property
    def lines(self):
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    @property
    def is_markdown(self):
        return self.path.lower().endswith((".md", ".markdown"))


def read_text(path, content, exists):
    """None for what is no text, or too much of it."""
    if content is None or len(content) > MAX_TEXT_BYTES or b"\0" in content:
        return None
    try:
        return File(path, content.decode(), exists)
    except UnicodeDecodeError:
        return None


# --- the rules: each yields Places

def _conflict_markers(file):
    """All three marks in their order: a heading underlined with `=======` alone is none."""
    expected = ("<<<<<<< ", "=======", ">>>>>>> ")
    seen = []
    for number, line in enumerate(file.lines, 1):
        wanted = expected[len(seen)]
        if line.startswith(wanted) if wanted.endswith(" ") else line == wanted:
            seen.append(Place(number, line))
        if len(seen) == 3:
            yield from seen
            seen = []


def _syntax_error(file):
    if not file.path.endswith(".py"):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(file.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield Place(getattr(error, "lineno", 0) or 0, str(getattr(error, "msg", error)))


_LINK = re.compile(r"\]\(<?([^()\s<>]+)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\)")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


def _links(file):
    """(line number, line, target as it is written, path in the repository) of each relative link."""
    fence = None
    for number, line in enumerate(file.lines, 1):
        start = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if start and fence is None:
            fence = start[1]
        elif start and start[1].startswith(fence):
            fence = None
        elif fence is None:
            for link in _LINK.finditer(_CODE.sub(lambda code: " " * len(code[0]), line)):
                path = _path_of_link(file.path, link[1])
                if path:
                    yield number, line, link[1], path


def _path_of_link(path, target):
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/|#|\?", target):
        return None
    inner = urllib.parse.unquote(re.split(r"[#?]", target, maxsplit=1)[0])
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), inner))
    return None if found.startswith("../") or found in (".", "..") or "\0" in found else found


def _broken_links(file):
    if file.is_markdown:
        broken = {number: line for number, line, _target, path in _links(file) if not file.exists(path)}
        yield from (Place(number, line.strip()) for number, line in broken.items())


_LEFT_BEHIND = re.compile(r"(?:#|//|/\*|<!--|--|;|^\s*\*)\s*(?:TODO|FIXME|XXX)\b")


def _left_behind(file):
    for number, line in enumerate(file.lines, 1):
        if _LEFT_BEHIND.search(line):
            yield Place(number, line.strip())


_ERREXIT = re.compile(r"-[A-Za-z]*e[A-Za-z]*|errexit")


def _is_strict(line):
    words = line.split()
    return bool(words) and (words[0] == "set" or words[0].startswith("#!")) and any(
        _ERREXIT.fullmatch(word) for word in words[1:])


def _careless_shell(file):
    first = file.lines[0]
    is_shell = re.match(r"#!\s*(?:/usr)?/bin/(?:env\s+)?(?:ba|da|k|z)?sh\b", first)
    commands = sum(1 for line in file.lines if line.strip() and not line.lstrip().startswith("#"))
    if is_shell and commands > 1 and not any(map(_is_strict, file.lines)):
        yield Place(1, first)


def _trailing_whitespace(file):
    if file.path.endswith((".patch", ".diff")):
        return
    for number, line in enumerate(file.lines, 1):
        if line != _stripped(file, line):
            yield Place(number, line)


def _stripped(file, line):
    bare = line.rstrip(" \t")
    # Two spaces at the end of a paragraph's line are Markdown's line break.
    return line if file.is_markdown and bare and line == bare + "  " else bare


def _no_final_newline(file):
    if file.text and not file.text.endswith("\n"):
        yield Place(len(file.lines), file.lines[-1])


# --- the fixes: text -> text, or None when only a person can tell

def _strip(file, _candidates):
    lines = file.text.split("\n")
    for i, line in enumerate(lines):
        end = "\r" if line.endswith("\r") else ""
        lines[i] = _stripped(file, line.removesuffix("\r")) + end
    return "\n".join(lines)


def _end_line(file, _candidates):
    return file.text + ("\r\n" if "\r\n" in file.text else "\n")


def _point_to_namesake(file, paths):
    """A link to a file that moved: when exactly one file of the repository has its name."""
    lines = file.text.split("\n")
    for number, _line, target, path in _links(file):
        if file.exists(path):
            continue
        same = [p for p in paths if posixpath.basename(p) == posixpath.basename(path)]
        if len(same) != 1:
            return None
        new = urllib.parse.quote(posixpath.relpath(same[0], posixpath.dirname(file.path) or "."))
        kept = re.search(r"[#?].*", target)
        lines[number - 1] = re.sub(r"(?<=\]\()(<?)" + re.escape(target),
                                   lambda found: found[1] + new + (kept[0] if kept else ""), lines[number - 1])
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Kind:
    title: str
    priority: str
    why: str
    rule: object
    fix: object = None
    done: str = ""  # what the fix does, for the commit


# The most urgent first.
KINDS = {
    "conflict-markers": Kind("Conflict markers", "critical", "A merge was committed before it was finished.",
                             _conflict_markers),
    "python-syntax": Kind("Python that does not compile", "high", "Python cannot read this file.", _syntax_error),
    "broken-link": Kind("Broken link", "medium", "These lines link to files that are not in the repository.",
                        _broken_links, _point_to_namesake, "Point links to where the files are"),
    "careless-shell": Kind("Shell script without set -e", "medium",
                           "The script goes on after a command that failed. Whether it may stop there, a person "
                           "has to say.", _careless_shell),
    "large-file": Kind("Large file", "medium", "Every clone carries this file for ever.", lambda _file: ()),
    "left-behind": Kind("Left behind", "low", "Somebody meant to come back to these lines.", _left_behind),
    "trailing-whitespace": Kind("Trailing whitespace", "low", "Blanks at the end of lines make noise in diffs.",
                                _trailing_whitespace, _strip, "Strip trailing whitespace"),
    "no-final-newline": Kind("No newline at the end", "low", "The file's last line is not ended.",
                             _no_final_newline, _end_line, "End the last line"),
}


def findings_in(file):
    """All that the rules say of one text file, the most urgent first."""
    found = []
    for name, kind in KINDS.items():
        places = tuple(kind.rule(file))
        if places:
            found.append(Finding(name, file.path, places))
    return found


def find(repository):
    """All findings of a work tree, the most urgent first."""
    found = []
    for path in repository.paths():
        size = repository.size(path)
        if size > LARGE_FILE_BYTES:
            found.append(Finding("large-file", path, (Place(0, f"{size >> 20} MiB"),)))
        file = read_text(path, repository.read(path), repository.exists)
        if file:
            found += findings_in(file)
    order = list(KINDS)
    return sorted(found, key=lambda finding: (order.index(finding.kind), finding.path))


def finding_still_there(about, file):
    """Does `file` still have what was filed?"""
    return file is not None and any(
        finding.kind == about.kind and finding.fingerprint == about.fingerprint for finding in findings_in(file))


def fixed(kind, file, paths):
    """The file's text without its findings of this kind; None when only a person can tell how.
    `paths`: the files of the repository."""
    fix = KINDS[kind].fix
    text = fix(file, paths) if fix else None
    if text is None or text == file.text:
        return None
    left = {finding.kind for finding in findings_in(dataclasses.replace(file, text=text))}
    return None if kind in left else text
