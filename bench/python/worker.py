"""PyTorch's side: answers one JSON line with one JSON line (bench/child.ts), as bench/ours.ts does for ours."""
import json
import sys
import time

import torch

import works

work = None


def answer(request):
    global work
    cmd = request["cmd"]
    if cmd == "open":
        work, note = works.open_work(request["spec"], request.get("variant", "eager"), request.get("layout"))
        return {"loss": work.step(), "note": note}
    if cmd == "turn":
        times, loss = [], None
        for _ in range(request.get("repeats", 1)):
            started = time.perf_counter()
            loss = work.step()
            times.append(1000 * (time.perf_counter() - started))
        return {"ms": times, "loss": loss}
    if cmd == "cpu":
        return {"ms": 1000 * time.process_time()}
    if cmd == "memory":
        import resource  # not on Windows

        unit = 1 if sys.platform == "darwin" else 1024
        return {"bytes": unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    if cmd == "versions":
        return works.versions()
    raise ValueError(f"unknown command {cmd}")


torch.set_num_interop_threads(1)
for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:  # the other side shows it; a peer that fails must not end the bench
        reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:500]}
    print("@@" + json.dumps(reply), flush=True)
