#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The figures of the benchmark, for people: a table on stdout and a plot.

usage: report.py FIGURES GOALS PLOT

FIGURES has lines "name, unit, ours, type1, floor", GOALS lines "name, goal", all
separated by tabs; "-" is a number that does not exist, "#" begins a remark.
"""
import math
import sys
from xml.sax.saxutils import escape

SUBJECTS = ("ours", "type1", "floor")
COLOURS = {"ours": "#2f6f9f", "type1": "#c9c5bb", "floor": "#5fa55a"}
# A goal is reached, too, at this much above the floor.
FLOOR_FACTOR = 1.1


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in lines if line.strip()]


def number(text):
    return None if text == "-" else float(text)


class Goal:
    """What a figure of ours should be."""

    def __init__(self, text, ours):
        at_least, text = text.startswith("at least "), text.removeprefix("at least ")
        factor, times, name = text.partition(" x ")
        self.more = at_least
        self.value = float(factor)
        if times:
            self.value = self.value * ours[name] if name in ours else None

    def verdict(self, ours, floor):
        if self.value is None or ours is None:
            return ""
        if ours >= self.value if self.more else ours <= self.value:
            return "reached"
        if not self.more and floor and ours <= FLOOR_FACTOR * floor:
            return "at the floor"
        return "missed"


class Figure:
    """One line of the table."""

    def __init__(self, line):
        self.name, self.unit, *values = line.split("\t")
        self.values = dict(zip(SUBJECTS, map(number, values)))
        self.goal = None

    def ratio(self, subject):
        """Ours to another subject, as text."""
        ours, other = self.values["ours"], self.values[subject]
        return f"{ours / other:.2f}" if ours is not None and other else ""

    def verdict(self):
        if not self.goal:
            return ""
        return self.goal.verdict(self.values["ours"], self.values["floor"])

    def target(self):
        return self.goal.value if self.goal else None


def read_figures(lines, goals):
    figures = {figure.name: figure for figure in map(Figure, lines)}
    ours = {name: figure.values["ours"] for name, figure in figures.items()}
    for name, text in goals:
        if name in figures:
            figures[name].goal = Goal(text, ours)
    return figures


def shown(value):
    if value is None:
        return ""
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def print_table(lines, figures):
    row = "{:46} {:>8} {:>8} {:>8} {:>10} {:>9} {:>8}  {}"
    print(row.format("guest instructions, unless it says otherwise", "ours", "type1", "floor",
                     "ours/type1", "our/floor", "goal", ""))
    for line in lines:
        if line.startswith("#"):
            print(line[2:])
            continue
        figure = figures[line.split("\t")[0]]
        print(row.format(f"{figure.name} / {figure.unit}", *map(shown, figure.values.values()),
                         figure.ratio("type1"), figure.ratio("floor"), shown(figure.target()),
                         figure.verdict()).rstrip())


class Plot:
    """Bars on a logarithmic scale, three to a figure, with the goal as a tick."""

    LEFT, RIGHT, TOP, BAR, GAP = 250, 90, 70, 9, 12
    WIDTH = 980

    def __init__(self, figures):
        self.figures = figures
        values = [v for f in figures for v in f.values.values() if v]
        self.low = 10 ** math.floor(math.log10(min(values)))
        self.high = 10 ** math.ceil(math.log10(max(values)))
        self.group = 3 * self.BAR + self.GAP
        self.bottom = self.TOP + len(figures) * self.group
        self.parts = []

    def x(self, value):
        span = math.log10(self.high / self.low)
        return self.LEFT + (self.WIDTH - self.LEFT - self.RIGHT) * \
            math.log10(max(value, self.low) / self.low) / span

    def text(self, x, y, content, **attributes):
        extra = "".join(f' {key.replace("_", "-")}="{value}"'
                        for key, value in attributes.items())
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(content)}</text>')

    def line(self, x, top, bottom, colour, width=1):
        self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"/>')

    def draw_scale(self):
        value = self.low
        while value <= self.high:
            self.line(self.x(value), self.TOP - 6, self.bottom, "#e6e6e6")
            self.text(self.x(value), self.TOP - 12, f"{value:g}", text_anchor="middle",
                      fill="#777")
            value *= 10

    def draw_legend(self):
        self.text(20, 26, "Guest instructions per 4 KiB page (logarithmic; less is better)",
                  font_size="15", font_weight="bold")
        x = self.WIDTH - 330
        for subject in SUBJECTS:
            self.parts.append(f'<rect x="{x}" y="16" width="12" height="12" '
                              f'fill="{COLOURS[subject]}"/>')
            self.text(x + 17, 26, subject)
            x += 80
        self.line(x + 4, 15, 29, "#c0392b", 2)
        self.text(x + 12, 26, "goal")

    def draw_figure(self, figure, y):
        self.text(self.LEFT - 10, y + 1.5 * self.BAR + 4, figure.name, text_anchor="end")
        for i, (subject, value) in enumerate(figure.values.items()):
            if value is None:
                continue
            top = y + i * self.BAR
            end = self.x(value)
            self.parts.append(f'<rect x="{self.LEFT}" y="{top}" '
                              f'width="{max(end - self.LEFT, 1):.1f}" height="{self.BAR - 1}" '
                              f'fill="{COLOURS[subject]}"/>')
            self.text(end + 5, top + self.BAR - 1, shown(value), font_size="9", fill="#444")
        if figure.target():
            self.line(self.x(figure.target()), y - 2, y + 3 * self.BAR + 1, "#c0392b", 2)

    def svg(self):
        self.draw_legend()
        self.draw_scale()
        for i, figure in enumerate(self.figures):
            self.draw_figure(figure, self.TOP + i * self.group)
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.WIDTH}" '
            f'height="{self.bottom + 20}" font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="white"/>', *self.parts, "</svg>", ""])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    lines = read_lines(sys.argv[1])
    goals = [line.split("\t") for line in read_lines(sys.argv[2]) if line[0] != "#"]
    figures = read_figures([line for line in lines if line[0] != "#"], goals)
    print_table(lines, figures)
    plotted = [figure for figure in figures.values() if figure.unit == "page"]
    if plotted:
        with open(sys.argv[3], "w", encoding="utf-8") as plot:
            plot.write(Plot(plotted).svg())


if __name__ == "__main__":
    main()
