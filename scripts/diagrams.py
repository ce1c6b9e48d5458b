#!/usr/bin/env python3
"""Draws every lifecycle of every practice, and writes it as a table into the practices' README.

    scripts/diagrams.py            rewrites node/practices/<one>/lifecycle-<name>.svg and the part
                                   of node/practices/README.md between its two marks
    scripts/diagrams.py --check    exits 1, naming what is stale, and changes nothing

The way that goes well is the upper row, from left to right; dashed lines are deadlines. Ways out
to an end that is not the good one, and ways back, are written inside the state they leave.
`withdraw` and `revoke`, open to almost every state, are left out.
"""

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from node.domain.lifecycle import Deadline, Lifecycle, State  # noqa: E402
from node.domain.practice import Practice  # noqa: E402
from node.practices.registry import PRACTICES  # noqa: E402

FOLDER = ROOT / "node" / "practices"
README = FOLDER / "README.md"
BEGIN = "<!-- lifecycles: written by scripts/diagrams.py -->"
END = "<!-- end of lifecycles -->"
WIDE, STEP, HEAD, GAP_X, GAP_Y, EDGE = 176, 17, 44, 104, 26, 14
TURNS = {"asker": "asker", "keeper": "keeper", "clock": "clock", "both": "both sides"}
LOOK = """
text{font:13px system-ui,"Segoe UI","Noto Sans",sans-serif;fill:#182126}
.n{font-size:11px;fill:#46545b}.k{font-weight:700}.box{fill:#fafbfa;stroke:#74848a;stroke-width:1.5}
.takes{fill:#d5e9e7;stroke:#0a5c66}.end{fill:#cfd6d3;stroke:#46545b}.way{fill:none;stroke:#0a5c66;
stroke-width:1.75}.late{stroke:#943a26;stroke-dasharray:5 4}.tip{fill:#0a5c66}
.tip.late{fill:#943a26;stroke:none}.ground{fill:#eaedea}@media(prefers-color-scheme:dark){
text{fill:#e7eeec}.n{fill:#aebcc0}.box{fill:#1b242a;stroke:#7d8f96}
.takes{fill:#143a3e;stroke:#7fd0cc}.end{fill:#2f3c42;stroke:#aebcc0}.way{stroke:#7fd0cc}
.late{stroke:#f2a590}.tip{fill:#7fd0cc}.tip.late{fill:#f2a590}.ground{fill:#12191d}}
"""

Way = tuple[str, str, bool]  # what it is called, where it leads, whether it is a deadline
Place = tuple[int, int, int]  # left, top, height


def ways(table: Lifecycle, name: str) -> list[Way]:
    """Return what leads out of a state: its actions, then its deadline."""
    state = table.states[name]
    found = [(way.action, way.after, False) for way in table.written if way.before == name]
    return [*found, (when(state.deadline), state.lapses_to, True)] if state.lapses_to else found


def columns(table: Lifecycle) -> dict[str, int]:
    """Return how far from an entrance each drawn state stands: always right of what leads to it."""
    spine = [table.start, *(state.name for state in table.path(table.start))]
    drawn = [name for name, state in table.states.items() if not state.final or name in spine]
    found = dict.fromkeys(drawn, 0)
    for _ in drawn:  # as often as the longest way has states
        for name in drawn:
            for _, after, _ in ways(table, name):
                if after in found and not _leads_back(table, name, after):
                    found[after] = max(found[after], found[name] + 1)
    return found


def _leads_back(table: Lifecycle, name: str, after: str) -> bool:
    """Whether a way leads to where one came from: the state before it in the table."""
    order = list(table.states)
    spine = [table.start, *(state.name for state in table.path(table.start))]
    if name in spine and after in spine:
        return spine.index(after) <= spine.index(name)
    seen, todo = set(), [after]
    while todo:  # can `name` be reached again from there?
        at = todo.pop()
        if at == name:
            return order.index(after) <= order.index(name)
        if at not in seen:
            seen.add(at)
            todo += [to for _, to, _ in ways(table, at)]
    return False


def forward(table: Lifecycle, name: str) -> list[Way]:
    """Return the ways out of a state that are drawn as lines, those to one state as one."""
    column, found = columns(table), dict[tuple[str, bool], list[str]]()
    for said, after, is_late in ways(table, name):
        if column.get(after, -1) > column[name]:
            found.setdefault((after, is_late), []).append(said)
    return [(", ".join(said), after, is_late) for (after, is_late), said in found.items()]


def written(table: Lifecycle, name: str) -> list[str]:
    """Return the ways out of a state that are written in its box."""
    column = columns(table)
    others = [each for each in ways(table, name) if column.get(each[1], -1) <= column[name]]
    said = [f"{said} → {after if after != name else 'again'}" for said, after, _ in others]
    return [line for each in said for line in each.replace(", not", ",|not").split("|")]


def places(table: Lifecycle) -> dict[str, Place]:
    """Return where each drawn state stands: the good way in the first row, the rest below it."""
    column = columns(table)
    spine = [table.start, *(state.name for state in table.path(table.start))]
    row, depth = dict.fromkeys(spine, 0), 0
    for name in sorted(column, key=lambda each: column[each]):
        before = [each for each in row if any(name == to for _, to, _ in ways(table, each))]
        shared = [row[each] for each in before if row[each] and column[each] < column[name]]
        if name not in row:
            depth += not shared
            row[name] = shared[0] if shared else depth
    tall = {name: _tall(table, name) for name in column}
    tops, top = {}, EDGE
    for number in range(max(row.values()) + 1):
        tops[number] = top
        top += max(tall[name] for name in row if row[name] == number) + GAP_Y
    return {
        name: (EDGE + column[name] * (WIDE + GAP_X), tops[row[name]], tall[name]) for name in row
    }


def _tall(table: Lifecycle, name: str) -> int:
    lines = max(len(written(table, name)), len(forward(table, name)) - 1, 0)
    return HEAD + lines * STEP + (6 if lines else 0)


def drawing(practice: Practice, table: Lifecycle) -> str:
    """Return the SVG of a lifecycle, with its title and what it says in words."""
    at = places(table)
    width = max(x for x, _, _ in at.values()) + WIDE + EDGE
    height = max(y + tall for _, y, tall in at.values()) + EDGE + 22
    words = " ".join(sentence(table, state) for state in table.states.values())
    title = f"{practice.name}: how a {table.name} goes"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(words)}</desc>',
            f"<style>{LOOK}</style>",
            f'<rect class="ground" width="{width}" height="{height}"/>',
            *(each for name in at for each in arrows(table, at, name)),
            *(box(table, at, name) for name in at),
            f'<text class="n" x="{EDGE}" y="{height - 10}">▸ it begins here · filled: it holds a'
            " place · dashed: a deadline · ! nobody leaves by a word · withdraw and revoke are left"
            " out</text>",
            "</svg>\n",
        ]
    )


def box(table: Lifecycle, at: dict[str, Place], name: str) -> str:
    """Draw a state: its name, whose turn it is, and the ways out that are no line."""
    (x, y, tall), state = at[name], table.states[name]
    looks = "box takes" if state.takes else "box end" if state.final else "box"
    turn = f"turn: {TURNS.get(state.turn, '')}{'' if state.leavable else ' !'}"
    mark = "▸ " if name in (table.start, table.waiting, table.holding) else ""
    lines = [("k", f"{mark}{name}"), ("n", "the end" if state.final else turn)]
    lines += [("n", said) for said in written(table, name)]
    return (
        f'<rect class="{looks}" x="{x}" y="{y}" width="{WIDE}" height="{tall}" rx="4"/>'
        + "".join(
            f'<text class="{kind}" x="{x + 10}" y="{y + 18 + line * STEP}">{escape(said)}</text>'
            for line, (kind, said) in enumerate(lines)
        )
    )


def arrows(table: Lifecycle, at: dict[str, Place], name: str) -> Iterator[str]:
    """Draw the lines out of a state: along its row, and into the row of the other at the end."""
    x, y, _ = at[name]
    for number, (said, after, is_late) in enumerate(forward(table, name)):
        sx, sy = x + WIDE, y + 22 + number * STEP
        ex, ey = at[after][0] - 6, at[after][1] + (32 if at[after][1] < y else 22)
        bend = ex - 44 if ex - sx > GAP_X else (sx + ex) // 2
        late = " late" if is_late else ""
        path = f"M{sx} {sy}H{bend - 30}C{bend} {sy} {bend} {ey} {ex} {ey}"
        yield (
            f'<path class="way{late}" d="{path}"/>'
            f'<path class="tip{late}" d="M{ex + 6} {ey}l-9-4v8z"/>'
            f'<text class="n" x="{sx + 5}" y="{sy - 4}">{escape(said)}</text>'
        )


def sentence(table: Lifecycle, state: State) -> str:
    """Say of one state what the drawing shows."""
    if state.final:
        return f"{state.name} is an end."
    acts = [
        f"{way.action} by the {way.by} leads to {way.after}"
        for way in table.written
        if way.before == state.name
    ]
    turn = f"{state.name}, turn of {TURNS[state.turn]}"
    holds = ", holds a place" if state.takes else ""
    lapse = f"{when(state.deadline)} it becomes {state.lapses_to}"
    return f"{turn}{holds}: {'; '.join([*acts, lapse])}."


def when(deadline: Deadline | None) -> str:
    """Say when a state passes on by itself."""
    if deadline is None:
        return "never"
    parts = ((deadline.days, "d"), (deadline.hours, "h"), (deadline.minutes, "min"))
    span = " ".join(f"{count} {unit}" for count, unit in parts if count)
    said = span if deadline.after == "since" else f"{span} after {deadline.after}".strip()
    said = said if span or deadline.after == "since" else f"at {deadline.after}"
    return said + (f", not after {deadline.before}" if deadline.before else "")


def rows(table: Lifecycle) -> str:
    """Return the table of a lifecycle in Markdown."""
    head = "| state | turn | holds | deadline | then | actions (by) |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(_row(table, state) for state in table.states.values()) + "\n"


def _row(table: Lifecycle, state: State) -> str:
    written = (way for way in table.written if way.before == state.name)
    acts = ", ".join(f"{way.action} → {way.after} ({way.by})" for way in written)
    if state.final:
        return f"| **{state.name}** | end | | | | |"
    turn = TURNS[state.turn] + ("" if state.leavable else " !")
    holds = "yes" if state.takes else ""
    then = f"{when(state.deadline)} | {state.lapses_to}"
    return f"| {state.name} | {turn} | {holds} | {then} | {acts} |"


def chapters(practices: tuple[Practice, ...]) -> str:
    """Return the part of the README that is written from the tables."""
    found = []
    for practice in practices:
        for table in practice.engaging.lifecycles.values() if practice.engaging else ():
            doors = (("ask", table.start), ("queue", table.waiting), ("hold", table.holding))
            opens = ", ".join(f"{word} → {name}" for word, name in doors if name)
            found.append(
                f"### {practice.name}: {table.name}\n\n"
                f"![{practice.name}, {table.name}: the table below as a drawing]"
                f"({practice.name}/lifecycle-{table.name}.svg)\n\n"
                f"Opens by {opens}; refused: {table.refuses_to}.\n\n{rows(table)}"
            )
    return "\n".join(found)


def papers(practices: tuple[Practice, ...], folder: Path) -> dict[Path, str]:
    """Return what every file this script writes has to say, by its path below `folder`."""
    text = (folder / "README.md").read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    found = {folder / "README.md": f"{before}{BEGIN}\n\n{chapters(practices)}\n{END}{after}"}
    for practice in practices:
        for table in practice.engaging.lifecycles.values() if practice.engaging else ():
            found[folder / practice.name / f"lifecycle-{table.name}.svg"] = drawing(practice, table)
    return found


def stale(practices: tuple[Practice, ...], folder: Path) -> list[str]:
    """Return the names of what is missing, out of date, or drawn for no table any more."""
    wanted = papers(practices, folder)
    drawn = set(folder.glob("*/lifecycle-*.svg")) | {folder / "README.md"}
    wrong = {file for file, text in wanted.items() if not _says(file, text)} | drawn - set(wanted)
    return sorted(str(file.relative_to(folder)) for file in wrong)


def _says(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the drawings and tables, or with --check say what is stale."""
    if arguments == ["--check"]:
        wrong = stale(PRACTICES, FOLDER)
        for name in wrong:
            print(f"node/practices/{name} is stale: run scripts/diagrams.py")
        return 1 if wrong else 0
    wanted = papers(PRACTICES, FOLDER)
    for file in set(FOLDER.glob("*/lifecycle-*.svg")) - set(wanted):
        file.unlink()
    for file, text in wanted.items():
        file.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
