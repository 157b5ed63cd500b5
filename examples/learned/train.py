"""Train one of the networks on simulated photographs, from nothing, and write it as ONNX.

::

    python examples/learned/train.py unet                        # what was done for the weights beside this file
    python examples/learned/train.py nyrhila --samples 500 --out elsewhere
    python examples/learned/train.py unet --device cuda --samples 500000

The same seed, number of pictures and threads on the same machine give the same network.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from networks import NETWORKS
from pictures import Pictures
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

import deconv

HERE = Path(__file__).parent
# Pictures that are trained on by default: half an hour of one core.
SAMPLES = {"nyrhila": 8000, "unet": 16000}
BATCH, RATE = 4, 2e-3
# Pictures of another seed, on which is measured what was learned.
HELD_BACK, APART = 200, 10**6
_TOLD_EVERY = 100


def main():
    """Train, and write NAME.onnx and NAME.json; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--samples", type=int, metavar="N", help=f"pictures to train on ({SAMPLES})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (1)")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw pictures (0: none beside)")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="where the network is written")
    args = parser.parse_args()
    samples = args.samples or SAMPLES[args.network]
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    # (In that order and in half precision a CPU trains three to four times as fast.)
    network = NETWORKS[args.network]().to(args.device, memory_format=torch.channels_last)
    start = time.perf_counter(), time.process_time()
    _train(network, samples, args)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    network.eval()
    loss, wrong = _held_back(network, args)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"{args.network}.onnx"
    write(network.cpu(), path)
    told = {
        "network": args.network,
        "parameters": sum(p.numel() for p in network.parameters()),
        "trained on": f"{samples} pictures of deconv.degrade.hdc_photo, steps 0 to 19, each seen once",
        "seed": args.seed,
        "optimiser": f"Adam, batches of {BATCH}, rate up to {RATE} in one cycle, cross entropy",
        "held back": {"pictures": HELD_BACK, "cross entropy": loss, "share of pixels wrong": wrong},
        "seconds": round(took[0]),
        "CPU seconds": round(took[1]),
        "device": args.device,
        "threads": args.threads,
        "bytes": path.stat().st_size,
        "versions": {"deconv": deconv.__version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    path.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))
    return 0


def _train(network, samples, args):
    """Each picture once."""
    loader = torch.utils.data.DataLoader(
        Pictures(samples, args.seed, network.planes), batch_size=BATCH, num_workers=args.workers
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=len(loader))
    network.train()
    losses, start = [], time.perf_counter()
    for i, (*given, sharp) in enumerate(loader, start=1):
        planes, step = given[0].to(args.device, memory_format=torch.channels_last), given[1].to(args.device)
        with torch.autocast(args.device, dtype=torch.bfloat16):
            logits = network(planes, step) if _is_told(network) else network(planes)
        loss = cross_entropy(logits.float(), network.inner(sharp.to(args.device)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if i % _TOLD_EVERY == 0 or i == len(loader):
            seconds = time.perf_counter() - start
            print(f"{i * BATCH:7d} of {samples}, {seconds:6.0f} s: {np.mean(losses[-_TOLD_EVERY:]):.4f}", flush=True)


def _held_back(network, args):
    """Cross entropy, and the share of pixels on the wrong side of the middle, on pictures that were not trained on."""
    losses, wrong = [], []
    for *given, sharp in torch.utils.data.DataLoader(Pictures(HELD_BACK, args.seed + APART, network.planes)):
        planes, step = (g.to(args.device) for g in given)
        with torch.no_grad():
            made = network(planes, step) if _is_told(network) else network(planes)
        # (Drawn pictures are above 1 by rounding.)
        true = network.inner(sharp.to(args.device)).clamp(0, 1)
        losses.append(torch.nn.functional.binary_cross_entropy(made, true).item())
        wrong.append(((made > 0.5) != (true > 0.5)).float().mean().item())
    return round(float(np.mean(losses)), 4), round(float(np.mean(wrong)), 4)


def write(network, path):
    """The network as one ONNX file, for pictures of any size."""
    import onnx
    from torch.export import Dim

    rows, columns = 160, 192
    planes = torch.zeros(1, network.planes(np.zeros((rows, columns), np.float32)).shape[0], rows, columns)
    if _is_told(network):
        given, names, free = (planes, torch.zeros(1, 1)), ["planes", "step"], ({2: Dim("m"), 3: Dim("n")}, {})
    else:
        given, names = (planes,), ["image"]
        free = ({2: network.MULTIPLE_OF * Dim("m"), 3: network.MULTIPLE_OF * Dim("n")},)
    torch.onnx.export(
        network,
        given,
        path,
        input_names=names,
        output_names=["sharp"],
        dynamic_shapes=free,
        external_data=False,
        dynamo=True,
    )
    # (Of every step it tells the lines of code that it comes from, with the paths of this machine.)
    model = onnx.load(path)
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del part.metadata_props[:]
    onnx.save(model, path)


def _is_told(network):
    """Whether a network takes the step of the blur."""
    return hasattr(network, "told")


if __name__ == "__main__":
    sys.exit(main())
