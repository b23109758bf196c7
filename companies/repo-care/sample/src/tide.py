"""When does the tide turn?"""

import sys


def turns(heights):
    """The indexes at which the water stops rising or falling."""
    # TODO: two equal heights in a row hide a turn
    return [i for i in range(1, len(heights) - 1)
            if (heights[i] - heights[i - 1]) * (heights[i + 1] - heights[i]) < 0]


if __name__ == "__main__":  
    print(turns([float(line) for line in sys.stdin]))
