"""The project's web process: it sends; which broker that goes through is said in its first two lines."""

import sys

import warren

warren.broker()

import kitchen as k  # noqa: E402
from dramatiq import group, pipeline  # noqa: E402

ORDERS = {
    "positional": lambda: k.wash.send("plate", water="hot"),
    "options": lambda: k.wash.send_with_options(args=("bowl",), kwargs={"water": "warm"}),
    "delayed": lambda: k.wash.send_with_options(args=("late bowl",), delay=700),
    "other_queue": lambda: k.dry.send("fork"),
    "pipeline": lambda: pipeline([k.wash.message("knife"), k.dry.message(), k.stack_up.message("top")]).run(),
    "group": lambda: group([k.wash.message(f"glass {number}") for number in range(5)]).run(),
    "async": lambda: [k.soak.send(0.5) for _ in range(10)],
    "retries": lambda: k.scrub.send_with_options(args=("pan",), on_retry_exhausted="give_up"),
    "throws": lambda: k.drop.send("glass"),
    "retry_when": lambda: k.wait_for.send("godot"),
    "retry": lambda: k.later.send("tea"),
    "too_late": lambda: k.serve_hot.send_with_options(args=("goulash",), delay=600),
    "success": lambda: k.wash.send_with_options(args=("tray",), on_success=k.cheer),
    "failure": lambda: k.scrub.send_with_options(args=("pot",), max_retries=0, on_failure="mourn"),
    "children": lambda: k.cook.send(["spoon", "ladle"]),
    "spilt": lambda: k.cook_and_spill.send(["saucer"]),
}

if __name__ == "__main__":
    sent = ORDERS[sys.argv[1]]()
    print(getattr(sent, "message_id", ""))
