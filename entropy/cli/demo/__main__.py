"""``python -m entropy.cli.demo``: the same command, sooner there than through celery's own."""

from entropy.cli.demo import demo

if __name__ == "__main__":
    demo(prog_name="ops/demo")
