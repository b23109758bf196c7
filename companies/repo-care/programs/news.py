"""Has the repository changed since it was last looked over? Asked before each of the scanner's heartbeats, so
that a repository in which nothing happens costs no run.

usage: news.py REPOSITORY      exit status 0: nothing new, 1: there is news (on standard output)
"""

import os
import sys

from repository import GitError, Repository


def main():
    try:
        repository = Repository(sys.argv[1])
        if repository.recall("settled-" + os.environ["PAPERCLIP_COMPANY_ID"]) == repository.stamp():
            return 0
    except (GitError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{repository.root} changed.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
