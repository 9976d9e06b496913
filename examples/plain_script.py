"""Submit jobs from a script and wait for them: `python examples/plain_script.py Ada Bob`."""

import sys

from warren import JobFailed, SyncClient


def main(names: list[str]) -> int:
    """One job for each name; 1 if one of them failed."""
    failed = 0
    with SyncClient() as warren:  # WARREN_URL and WARREN_API_KEY say where
        jobs = [warren.submit("hello", {"name": name}, tags=["script"]) for name in names]
        for job_id in jobs:
            try:
                print(warren.wait(job_id, within=60).result["text"])
            except JobFailed as e:
                print(e)
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
