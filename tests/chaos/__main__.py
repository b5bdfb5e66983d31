"""The command behind ``ops/chaos``: one JSON line a row on standard output, progress on standard error."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.leaks import unmount
from tests.chaos.schedule import EACH, ONCE, Pace
from tests.chaos.trial import Plan, durable, native


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    plan = Plan(
        runs=options.runs,
        seed=options.seed,
        repositories=min(options.repositories, options.runs),
        minutes=options.minutes,
        pace=_pace(options),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in options.rows.split(","):
        folder = Path(tempfile.mkdtemp(prefix=f"entropy-chaos-{name}-"))
        try:
            row = durable(plan, folder) if name == "durable" else native(plan, folder, name)
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted; kept: {folder}\n")
            return 130
        finally:
            unmount(folder)
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
        if row["exact"] == plan.runs and not row["leaked"] and not options.keep:
            shutil.rmtree(folder)
        else:
            sys.stderr.write(f"kept: {folder}\n")
    return 0


def _pace(options: argparse.Namespace) -> Pace:
    only = frozenset(filter(None, options.only.split(","))) or EACH
    spared = frozenset(options.without.split(","))
    once = () if options.only else tuple(entry for entry in ONCE if entry[1] not in spared)
    if options.once:
        once = tuple((float(share), blow) for share, _, blow in (one.partition(":") for one in options.once.split(",")))
    return Pace(
        mean=options.pace,
        recurring=frozenset() if options.calm else only - spared,
        once=once if options.once or not options.calm else (),
        forge=not (options.only or options.calm),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ops/chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rows", default="durable", help="durable, plain, late")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repositories", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--pace", type=float, default=6.0, help="mean seconds between two blows")
    parser.add_argument("--only", default="", help="these recurring blows and nothing else")
    parser.add_argument("--without", default="", help="blows that are left out, such as 'redis flush,freeze'")
    parser.add_argument("--once", default="", help="blows at a share of the work instead, such as '0.5:everything'")
    parser.add_argument("--calm", action="store_true", help="no blows but those of --once, and a forge that answers")
    parser.add_argument("--keep", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
