"""A line chart as SVG, logarithmic in x, one panel for each line."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT, LEFT, BELOW = 360, 240, 70, 45


def draw(name: str, table: list[list], label: str, lines: list[tuple[int, str]]) -> None:
    rows = table[1:]
    panels = [panel(at, [row[column] for row in rows], [row[0] for row in rows], title, label)
              for at, (column, title) in enumerate(lines)]  # fmt: skip
    width = WIDTH * len(lines)
    (HERE / f"{name}.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="{width}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def panel(at: int, values: list[float], xs: list[int], title: str, label: str) -> str:
    top = max(values) * 1.1 or 1
    step = (WIDTH - LEFT - 20) / max(len(xs) - 1, 1)
    place = [(LEFT + step * n, HEIGHT - BELOW - (HEIGHT - BELOW - 30) * v / top) for n, v in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in place)
    parts = [f'<g transform="translate({at * WIDTH} 0)">', f'<text x="{LEFT}" y="18" font-weight="bold">{title}</text>']
    parts.append(f'<path d="M{LEFT} 30V{HEIGHT - BELOW}H{WIDTH - 15}" stroke="#888" fill="none"/>')
    parts.append(f'<polyline points="{points}" fill="none" stroke="#563acc" stroke-width="2"/>')
    for (x, y), size, value in zip(place, xs, values):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#563acc"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{short(value)}</text>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BELOW + 15}" text-anchor="middle">{short(size)}</text>')
    parts.append(f'<text x="{WIDTH / 2 + 25}" y="{HEIGHT - 10}" text-anchor="middle">{label}</text></g>')
    return "\n".join(parts)


def short(value: float) -> str:
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
