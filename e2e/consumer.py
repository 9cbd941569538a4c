"""A consumer in another language, of the standard library alone: it waits for jobs of a queue, does each
and says so, until nothing has come for a while or it has done as many as it was asked to.

    python3 consumer.py http://127.0.0.1:3000 inbox --name py-1 [--most 5] [--wait 2000] [--takes 300]

It prints a line of JSON for each job that it has done.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request


def post(base, path, body):
    request = urllib.request.Request(
        base + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=70) as answer:
        return json.load(answer)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("base")
    words.add_argument("queue")
    words.add_argument("--name", default="consumer.py")
    words.add_argument("--most", type=int, default=1_000_000)
    words.add_argument("--wait", type=int, default=2_000)
    words.add_argument("--takes", type=int, default=0)
    asked = words.parse_args()

    done = 0
    while done < asked.most:
        lease = {"consumer": asked.name, "max": 1, "lease_ms": 30_000, "wait_ms": asked.wait}
        jobs = post(asked.base, f"/api/v1/work/queues/{asked.queue}/lease", lease)["jobs"]
        if not jobs:
            break
        for job in jobs:
            time.sleep(asked.takes / 1_000)
            result = {"by": asked.name, "title": job["data"]["title"]}
            word = {"token": job["token"], "result": result}
            try:
                post(asked.base, f"/api/v1/work/jobs/{job['id']}/complete", word)
            except urllib.error.HTTPError as error:
                # Too late: somebody else has it now, and its end is theirs to tell.
                if error.code != 409:
                    raise
                continue
            done += 1
            print(json.dumps({"job": job["id"], "title": job["data"]["title"]}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
