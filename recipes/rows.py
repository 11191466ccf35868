"""The table of recipes/table.sh, as Markdown, and its contact sheets.

python3 recipes/rows.py --table RUNS > table.md
python3 recipes/rows.py --sheet RUNS MOTION-SIZE --out SHEET.webp
"""

import argparse
import json
from pathlib import Path

METHODS = {"lfdm": "LFDM", "ldm": "LDM", "vdm": "VDM", "imaginator": "ImaGINator"}
TRAININGS = {"lfdm": ["lfae", "dm"], "ldm": ["autoencoder", "ldm"], "vdm": ["vdm"], "imaginator": ["imaginator"]}
SHOWN = {"lfdm": "-guidance-3", "ldm": "-guidance-3", "vdm": "-guidance-3", "imaginator": ""}
"""Whose clips a contact sheet has, from top to bottom, below the real ones."""
COLUMNS = ["", "training steps", "parameters", "GFLOP per clip", "s per clip", "drift", "motion", "label accuracy"]
COLUMNS += ["FVD", "by label", "by person"]
GAP = 4
"""Pixels between clips."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--table", type=Path, metavar="RUNS")
    what.add_argument("--sheet", nargs=2, metavar=("RUNS", "MOTION-SIZE"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.table:
        print(table(args.table))
    elif args.out is None:
        parser.error("--sheet needs --out")
    else:
        sheet(Path(args.sheet[0]), args.sheet[1], args.out)


def table(runs):
    """All that was measured, a section for each kind of motion and size."""
    sections = {}
    for path in sorted((runs / "reports").glob("*-*-*.json")):
        motion, size, name = path.stem.split("-", 2)
        if size.isdigit():
            sections.setdefault((motion, int(size)), {})[name] = json.loads(path.read_text())
    return "\n\n".join(section(runs, *key, reports) for key, reports in sorted(sections.items()))


def section(runs, motion, size, reports):
    real, still = (scores_of(next(iter(reports.values())), origin) for origin in ["real", "repeat frame 0"])
    lines = [f"{motion.capitalize()}, {size} x {size} pixels, {real['clips']} clips", ""]
    lines += ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += [row("real", real), row("repeat frame 0", still)]
    for method, title in METHODS.items():
        ours = {name: report for name, report in sorted(reports.items()) if name.split("-")[0] == method}
        for index, (name, report) in enumerate(ours.items()):
            rebuilt = scores_of(report, "auto-encoder")
            if rebuilt and index == 0:
                lines.append(row(f"{title}'s auto-encoder", rebuilt))
            scores = scores_of(report, "generated")
            guidance = f", guidance {name.rsplit('-', 1)[1]}" if "-guidance-" in name else ""
            steps = steps_of(runs, f"{motion}-{size}", method)
            lines.append(row(title + guidance, scores, steps, *cost_of(report, scores)))
    return "\n".join(lines)


def scores_of(report, origin):
    return next((scores for scores in report["generation"]["clips"] if scores["origin"].startswith(origin)), None)


def cost_of(report, scores):
    """Parameters in millions, and operations for a clip in billions."""
    cost = report["cost"]
    network = cost.get("denoiser") or cost["generator"]
    parameters = network["parameters"] + (cost["autoencoder"] or {"parameters": 0})["parameters"]
    if "flops_per_clip" in cost:
        flops = cost["flops_per_clip"]
    else:
        flops = cost["flops_per_step"] * int(scores["origin"].split()[1])
    return f"{parameters / 1e6:.1f} M", f"{flops / 1e9:.0f}"


def steps_of(runs, name, method):
    """The steps that each stage took in its minutes."""
    counts = []
    for stage in TRAININGS[method]:
        *_, last = (runs / f"{name}-{stage}" / "losses.jsonl").read_text().splitlines()
        counts.append(str(json.loads(last)["step"] + 1))
    return " + ".join(counts)


def row(title, scores, steps="", parameters="", flops=""):
    frechet = scores["frechet"][0]
    accuracy = scores["label_accuracy"]
    cells = [title, steps, parameters, flops, number(scores["seconds_per_clip"], 1)]
    cells += [number(scores["identity_drift"], 2), number(scores["motion"], 2)]
    cells += ["" if accuracy is None else f"{100 * accuracy:.1f} %", number(frechet["fvd"], 1)]
    cells += [number(frechet["class_conditional"], 0), number(frechet["subject_conditional"], 0)]
    return "| " + " | ".join(cells) + " |"


def number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def sheet(runs, name, out):
    """The first person, a column for each label: real clips above those of the four methods."""
    from PIL import Image

    folders = [runs / "clips-of" / f"{name}-{method}{rest}" for method, rest in SHOWN.items()]
    origins = [folders[0] / "real", *(next(folder.glob("generated*")) for folder in folders)]
    person = min(path.name for path in origins[0].iterdir())
    labels = sorted(path.name for path in (origins[0] / person).iterdir())
    rows = [[frames(origin / person / label) for label in labels] for origin in origins]
    side = rows[0][0][0].width + GAP
    moving = []
    for index in range(len(rows[0][0])):
        picture = Image.new("RGB", (len(labels) * side - GAP, len(rows) * side - GAP), (255, 255, 255))
        for y, clips in enumerate(rows):
            for x, clip in enumerate(clips):
                picture.paste(clip[index], (x * side, y * side))
        moving.append(picture)
    moving[0].save(out, save_all=True, append_images=moving[1:], duration=125, loop=0, quality=70, method=6)


def frames(folder):
    from PIL import Image

    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]


if __name__ == "__main__":
    main()
