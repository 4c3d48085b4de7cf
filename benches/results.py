"""From measured rows to RESULTS.md."""

import json
import platform
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def load() -> dict:
    path = HERE / "results.json"
    return json.loads(path.read_text()) if path.exists() else {}


def table(rows: list[list]) -> str:
    head, *body = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in [head, *body]) for column in range(len(head))]

    def line(row: list[str]) -> str:
        cells = (text.ljust(width) if column == 0 else text.rjust(width)
                 for column, (text, width) in enumerate(zip(row, widths)))  # fmt: skip
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
                          for column, width in enumerate(widths)) + "|"  # fmt: skip
    return "\n".join([line(head), rule, *map(line, body)])


def cell(value) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def show(name: str, row: dict) -> None:
    for one in row["tables"]:
        print(f"\n{one['title']}\n{table(one['rows'])}\n{one.get('verdict', '')}", flush=True)


def write(kept: dict, rows: dict) -> None:
    parts = [HEAD.format(machine=machine(), versions=versions())]
    for name, function in rows.items():
        if name not in kept:
            continue
        row = kept[name]
        parts.append(f"## {function.__doc__.splitlines()[0]}\n")
        parts.append(f"`benches/compare {name}`, {row['at']}, {row['commit']}; {row['means']}\n")
        for one in row["tables"]:
            parts.append(f"{one['title']}\n\n{table(one['rows'])}\n")
            if one.get("verdict"):
                parts.append(one["verdict"] + "\n")
    path = HERE / "RESULTS.md"
    _, mark, others = path.read_text().partition(OTHERS) if path.exists() else ("", "", "")
    path.write_text("\n".join(parts) + (f"\n{mark}{others}" if mark else ""))


# What stands below this line is written by other hands.
OTHERS = "<!-- below here nothing is written by benches/compare -->"


HEAD = """# Results

Written by `benches/compare`, which says how. Instructions are user and kernel
together, over all threads of the process, divided by requests. A bar that is
missed is written here like one that is met.

{machine}
{versions}
"""


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    return (
        f"Machine: {model.group(1) if model else platform.machine()}, {info.count('processor	')} cores, "
        f"Linux {platform.release()}."
    )


def versions() -> str:
    found = []
    for command, pattern in (
        (["nginx", "-v"], r"nginx/(\S+)"),
        (["haproxy", "-v"], r"version (\S+)"),
        (["caddy", "version"], r"(\S+)"),
        (["qemu-system-x86_64", "--version"], r"version (\S+)"),
        (["rustc", "--version"], r"rustc (\S+)"),
    ):
        try:
            said = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            found.append(f"{command[0]} absent")
            continue
        match = re.search(pattern, said.stdout + said.stderr)
        found.append(f"{command[0]} {match.group(1) if match else '?'}")
    return "Versions: " + ", ".join(found) + "."
