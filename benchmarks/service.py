"""Measure the service: how fast it is there, what waiting together gains, memory, and what a kill leaves.

  OMP_NUM_THREADS=1 python -m benchmarks.service --out benchmarks/results/service.json

`remogpt serve` runs in a process of its own, with mini. Measured: seconds until the page answers and until the second
motion; requests a second of one client that waits for each answer, and of 50 clients that ask 200 times together, each
with one candidate (`best_of` 1): plain, and with the retrieved motions and the checks that are mini's default;
resident memory over 1,000 requests; and, after SIGKILL in the middle of a job and of a build, which jobs and
databases are there when the service is started again. One seed by command, Python and HTTP gives one motion.
"""

import argparse
import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.command import command
from remogpt import Client, ReMoGPT, load_motion
from remogpt.runtime.files import read_json, write_json

PLAIN: dict[str, Any] = {"best_of": 1, "retrieved": 0, "verify": False, "fact_weight": 0}
DEFAULTS: dict[str, Any] = {"best_of": 1}
LOADS = {"load": PLAIN, "load_with_checks": DEFAULTS}
PARTS = ("start", "load", "load_with_checks", "memory", "kill")
ACTS = ("walks forward", "waves with the right hand", "sits down", "jumps", "kicks with the left leg", "turns around")


@contextmanager
def served(work: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]", float]]:
    """Start a service; yield its address, its process, and the seconds until it answered."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "remogpt.cli", "serve", "--port", str(port), "--work", str(work), *options]
    started = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{url}/health" if "--no-page" in options else url, timeout=30).is_success:
                    break
            except httpx.TransportError:
                if process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield url, process, time.monotonic() - started
    finally:
        process.kill()
        process.wait()


def question(number: int, options: dict[str, Any]) -> dict[str, Any]:
    """Return one of many different questions."""
    return {"text": f"a person {ACTS[number % len(ACTS)]}", "seed": number, "options": options}


async def ask_together(
    url: str, process: "subprocess.Popen[bytes]", count: int, clients: int, options: dict[str, Any]
) -> dict[str, Any]:
    """Let clients ask as often as they can, `count` times in all; who is told to wait counts as answered."""
    spent = cpu_seconds(process)
    numbers, statuses, seconds = iter(range(count)), Counter[str](), []

    async def one(client: httpx.AsyncClient) -> None:
        for number in numbers:
            started = time.monotonic()
            try:
                response = await client.post(f"{url}/v1/generate", json=question(number, options))
                statuses[str(response.status_code)] += 1
            except httpx.TransportError as error:  # neither answered nor told to wait
                statuses[type(error).__name__] += 1
            seconds.append(time.monotonic() - started)

    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(timeout=300, limits=limits) as client:
        started = time.monotonic()
        await asyncio.gather(*(one(client) for _ in range(clients)))
        took = time.monotonic() - started
    spent = cpu_seconds(process) - spent
    return {
        "requests": count, "clients": clients, "statuses": dict(statuses),
        "requests_a_second": round(count / took, 2), "median_seconds": round(float(np.median(seconds)), 2),
        "slowest_seconds": round(max(seconds), 2), "cpu_seconds_a_request": round(spent / count, 3),
    }  # fmt: skip


def load(
    url: str, process: "subprocess.Popen[bytes]", requests: int, clients: int, options: dict[str, Any]
) -> dict[str, Any]:
    """Compare one client alone with many together: by the clock, and by processor time where others are at work too."""
    asyncio.run(ask_together(url, process, 2, 1, options))  # loads the model
    alone = asyncio.run(ask_together(url, process, requests // 5, 1, options))
    many = asyncio.run(ask_together(url, process, requests, clients, options))
    gain = many["requests_a_second"] / alone["requests_a_second"]
    work = alone["cpu_seconds_a_request"] / many["cpu_seconds_a_request"]
    return {"one_client": alone, "many_clients": many, "times_as_many": round(gain, 2),
            "times_as_many_by_cpu": round(work, 2)}  # fmt: skip


def resident(process: "subprocess.Popen[bytes]") -> float:
    """Return a process's resident memory, MiB."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    """Return the processor time that a process has taken, which does not depend on what else runs."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(url: str, process: "subprocess.Popen[bytes]", requests: int) -> dict[str, Any]:
    """Ask many times and read the memory ten times on the way."""
    asyncio.run(ask_together(url, process, requests // 10, 16, PLAIN))  # what is loaded or cached once
    seen = [resident(process)]
    for _ in range(10):
        asyncio.run(ask_together(url, process, requests // 10, 16, PLAIN))
        seen.append(resident(process))
    return {"requests": requests, "mib": [round(one, 1) for one in seen], "grown_mib": round(seen[-1] - seen[0], 1)}


def after_a_kill(work: Path) -> dict[str, Any]:
    """Kill the service while it writes and while it builds, and say what the next one finds."""
    name, wait = {"Remogpt-Client": "benchmark"}, {"Prefer": "respond-async"}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        motion = ReMoGPT.from_pretrained().generate("a person waves", seed=0)[0].motion
        motion.save(work.parent / "wave.bvh")
        for number in range(30):
            archive.write(work.parent / "wave.bvh", f"{number}.bvh")
            archive.writestr(f"{number}.txt", "a person waves")
    with served(work, "--no-page") as (url, process, _):
        ask = httpx.Client(base_url=url, headers=name, timeout=300)
        done = [ask.post("/v1/generate", json=question(n, PLAIN), headers=wait).json()["id"] for n in range(5)]
        while any(ask.get(f"/v1/jobs/{one}").json()["state"] == "running" for one in done):
            time.sleep(0.1)
        results = [ask.get(f"/v1/jobs/{one}/result").json() for one in done]
        body = {"text": [f"a person {act}" for act in ACTS] * 8, "options": {"best_of": 8}}
        ask.post("/v1/generate", json=body, headers=wait)
        files = {"files": ("waves.zip", content.getvalue())}
        ask.post("/v1/databases", data={"name": "waves"}, files=files)
        time.sleep(6)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with served(work, "--no-page") as (url, _, _):
        ask = httpx.Client(base_url=url, headers=name, timeout=300)
        kept = [ask.get(f"/v1/jobs/{one}/result").json() for one in done]
        states = Counter(job["state"] for job in ask.get("/v1/jobs").json()["jobs"])
        names = [row["name"] for row in ask.get("/v1/databases").json()["databases"]]
    return {"finished_jobs": len(done), "kept_as_they_were": sum(a == b for a, b in zip(results, kept, strict=True)),
            "states": dict(states), "databases": names}  # fmt: skip


def one_motion_by_three_ways(url: str, folder: Path) -> bool:
    """Whether command, Python and HTTP write the same motion for one seed."""
    text, seed = "a person walks forward and waves", 11
    path = folder / "motion.npy"
    words = ["generate", text, "--seed", str(seed), "--out", str(path), "--content", "features"]
    subprocess.run([sys.executable, "-m", "remogpt.cli", *words], check=True, stdout=subprocess.DEVNULL)
    ways = [load_motion(path).features, ReMoGPT.from_pretrained().generate(text, seed=seed)[0].motion.features,
            Client(url).generate(text, seed=seed)[0].motion.features]  # fmt: skip
    return all(np.array_equal(ways[0], one) for one in ways[1:])


def start(folder: Path) -> dict[str, Any]:
    """Measure the seconds until the page and the API answer, and until the second motion is there."""
    with served(folder / "page") as (url, process, seconds):
        spent = cpu_seconds(process)
        client = Client(url)
        client.generate("a person waves", seed=1)
        started = time.monotonic()
        client.generate("a person kicks", seed=1)
        second = time.monotonic() - started
        same = one_motion_by_three_ways(url, folder)
    return {
        "seconds_to_page": round(seconds, 2),
        "cpu_seconds_to_page": round(spent, 2),
        "seconds_of_second_motion": round(second, 2),
        "one_motion_by_three_ways": same,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the numbers of each part as soon as they are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="others in --out are kept")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--memory-requests", type=int, default=1000)
    args = parser.parse_args(arguments)
    report: dict[str, Any] = read_json(args.out) if args.out.is_file() else {}
    for part in args.parts:
        busy = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if part == "start":
                found = start(folder)
            elif part == "kill":
                found = after_a_kill(folder / "kill")
            else:
                with served(folder / "api", "--no-page") as (url, process, _):
                    if part == "memory":
                        found = memory(url, process, args.memory_requests)
                    else:
                        found = load(url, process, args.requests, args.clients, LOADS[part])
        about = {"command": command(), "cores": os.cpu_count(), "load_before": round(busy, 1)}
        report[part] = {**about, **found}
        write_json(args.out, report)
        print(part, report[part], flush=True)


if __name__ == "__main__":
    main()
