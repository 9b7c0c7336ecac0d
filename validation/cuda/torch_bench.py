#!/usr/bin/env python3
"""Measures PyTorch on one GPU: whole networks (model_latency.csv), row-wise operators (vector.csv), profiles for `tilewright import`.

usage: torch_bench.py -o DIR [--device KEY] [--table networks,vector,profile,shapes] [--models NAME,...] [--samples N] [--shapes FILE] [--count N]

Weights are random: nothing is fetched. Transformers run in fp32 with TF32 off and attention out of single operators, timed between events
(timing `torch_event`, inputs on the GPU). torchvision's classifiers run with cuDNN's autotuning and PyTorch's default TF32 for convolutions,
by wall clock with the copy of 12 images from pageable memory (timing `wall_sync_incl_h2d_copy_median50`). Training rows are a forward and a
backward pass, no optimiser. Operators: one CUDA graph of as many launches as last 5 ms (timing `cuda_graph_replay`), same buffers. Profiles hold
shapes. `shapes` profiles the products of a table with the columns of gemm.csv, a sample of them in a fixed random order, in fp32 without TF32 and
in bf16. Needs torch, torchvision and transformers.
"""
import argparse
import csv
import os
import random
import statistics
import sys
import time

import torch
import torchvision
import transformers
from torch.profiler import ProfilerActivity, profile

COLUMNS = ["model", "device", "dtype", "phase", "batch", "seq_or_res", "gpus", "variant", "latency_ms", "fwd_ms", "bwd_ms",
           "timing", "source", "p5_ms", "p95_ms", "samples", "torch", "cuda", "cudnn", "host_cpus"]
OPERATOR_COLUMNS = ["device", "dtype", "op", "rows", "cols", "n_inputs", "latency_us", "timing", "flag", "source", "p5_us", "p95_us", "samples",
                    "torch", "cuda", "cudnn", "host_cpus"]
CLASSIFIERS = ["resnet18", "resnet50", "resnet152", "vgg16", "vgg19_bn", "squeezenet1_0", "mnasnet1_0", "shufflenet_v2_x1_0",
               "wide_resnet50_2"]
TRANSFORMERS = {  # rows: batch, tokens, training too
    "bert_large": [(2, 512, True), (8, 512, True), (16, 512, False)],
    "gpt2_large": [(1, 1024, True), (4, 1024, False), (8, 1024, False)],
    "opt_13": [(2, 2048, False), (8, 2048, False)],
}


def transformer(name):
    if name == "bert_large":
        config = transformers.BertConfig(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
        kind = transformers.BertModel
    elif name == "gpt2_large":
        config = transformers.GPT2Config(n_embd=1280, n_layer=36, n_head=20)
        kind = transformers.GPT2LMHeadModel
    else:  # OPT-1.3B
        config = transformers.OPTConfig(hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, ffn_dim=8192)
        kind = transformers.OPTForCausalLM
    config._attn_implementation = "eager"
    config.use_cache = False
    with torch.device("cuda"):
        return kind(config).eval(), config.vocab_size


def summary(times):
    times = sorted(times)
    return statistics.median(times), times[len(times) // 20], times[-1 - len(times) // 20]


def loss_of(result):
    tensor = result if torch.is_tensor(result) else result[0]
    return tensor.float().sum()


def events(model, tokens, samples, training):
    """Milliseconds of each pass, forward and backward apart."""
    forward, backward = [], []
    for i in range(samples + 5):
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
        with torch.set_grad_enabled(training):
            marks[0].record()
            result = model(tokens)
            marks[1].record()
        if training:
            loss = loss_of(result)
            marks[2].record()
            loss.backward()
            marks[3].record()
        torch.cuda.synchronize()
        if training:
            model.zero_grad()
        if i >= 5:
            forward.append(marks[0].elapsed_time(marks[1]))
            backward.append(marks[2].elapsed_time(marks[3]) if training else 0.0)
    return forward, backward


def wall(model, dtype, samples, training):
    times = []
    images = torch.rand(12, 3, 224, 224, dtype=dtype)
    target = torch.randint(1000, (12,)).cuda()
    criterion = torch.nn.CrossEntropyLoss().cuda()
    for i in range(samples + 10):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        with torch.set_grad_enabled(training):
            result = model(images.to("cuda"))
            if training:
                model.zero_grad()
                criterion(result, target).backward()
        torch.cuda.synchronize()
        if i >= 10:
            times.append(1e3 * (time.perf_counter() - begin))
    return times


def graph_times(call, samples):
    """Microseconds of one call, from replays of a CUDA graph that lasts about 5 ms."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
    torch.cuda.synchronize()
    launches = max(1, min(2000, round(5 / max(begin.elapsed_time(end), 1e-3))))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(launches):
            call()
    times = []
    for i in range(samples + 10):
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        if i >= 10:
            times.append(1e3 * begin.elapsed_time(end) / launches)
    return times


def operator(name, rows, cols, dtype):
    x, y = (torch.rand(rows, cols, device="cuda", dtype=dtype) for _ in range(2))
    weight, bias = (torch.rand(cols, device="cuda", dtype=dtype) for _ in range(2))
    functional = torch.nn.functional
    return {"add": lambda: torch.add(x, y), "relu": lambda: torch.relu(x), "gelu": lambda: functional.gelu(x),
            "softmax": lambda: torch.softmax(x, -1), "layernorm": lambda: functional.layer_norm(x, (cols,), weight, bias)}[name]


class Table:
    """Rows of one file, written anew after each."""

    def __init__(self, path, columns, common):
        self.path, self.columns, self.common, self.rows = path, columns, common, []

    def add(self, **cells):
        self.rows.append(self.common | cells)
        print(cells, file=sys.stderr, flush=True)
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, self.columns, lineterminator="\n")
            table.writeheader()
            table.writerows(self.rows)


def measure_operators(table, samples):
    for dtype, word in [(torch.float32, "fp32"), (torch.float16, "fp16")]:
        for op in ("add", "relu", "gelu", "softmax", "layernorm"):
            for rows in (16, 512, 8192, 65536):
                for cols in (128, 768, 1000, 4096):
                    with torch.no_grad():
                        median, low, high = summary(graph_times(operator(op, rows, cols, dtype), samples))
                    table.add(dtype=word, op=op, rows=rows, cols=cols, n_inputs=2 if op == "add" else 1, latency_us=f"{median:.6g}",
                              p5_us=f"{low:.6g}", p95_us=f"{high:.6g}", timing="cuda_graph_replay")
                    torch.cuda.empty_cache()


def measure_classifier(table, name, samples):
    for dtype, word in [(torch.float32, "tf32_or_fp32"), (torch.float16, "fp16")]:
        with torch.device("cuda"):
            model = getattr(torchvision.models, name)().to(dtype)
        for training in (False, True):
            model.train(training)
            median, low, high = summary(wall(model, dtype, samples, training))
            table.add(model=name, dtype=word, phase="train_fwd_bwd" if training else "inference", batch=12, seq_or_res=224,
                      latency_ms=f"{median:.6g}", p5_ms=f"{low:.6g}", p95_ms=f"{high:.6g}", timing="wall_sync_incl_h2d_copy_median50")


def measure_transformer(table, name, samples):
    model, vocabulary = transformer(name)
    for batch, tokens, training in TRANSFORMERS[name]:
        words = torch.randint(vocabulary, (batch, tokens), device="cuda")
        for train in (False, True) if training else (False,):
            forward, backward = events(model, words, max(10, samples // 3), train)
            median, low, high = summary([f + b for f, b in zip(forward, backward)])
            table.add(model=name, dtype="fp32", phase="train_fwd_bwd" if train else "prefill", batch=batch, seq_or_res=tokens,
                      latency_ms=f"{median:.6g}", p5_ms=f"{low:.6g}", p95_ms=f"{high:.6g}", fwd_ms=f"{statistics.median(forward):.6g}",
                      bwd_ms=f"{statistics.median(backward):.6g}" if train else "", timing="torch_event")
    del model
    torch.cuda.empty_cache()


def write_profile(path, call):
    for _ in range(3):
        call()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True) as prof:
        for _ in range(3):
            call()
        torch.cuda.synchronize()
    prof.export_chrome_trace(path)


def write_profiles(folder):
    with torch.device("cuda"):
        resnet = torchvision.models.resnet50().half().to(memory_format=torch.channels_last)
    images = torch.rand(12, 3, 224, 224, dtype=torch.float16, device="cuda").to(memory_format=torch.channels_last)
    write_profile(os.path.join(folder, "resnet50_train_fp16.json"), lambda: resnet(images).float().sum().backward())
    bert, vocabulary = transformer("bert_large")
    bert = bert.half()
    words = torch.randint(vocabulary, (8, 128), device="cuda")
    with torch.no_grad():
        write_profile(os.path.join(folder, "bert_large_fp16.json"), lambda: bert(words))


def write_shapes(folder, path, count, calls=5):
    """One profile for each number format: products of the table, `calls` times each after a warm-up."""
    with open(path, newline="", encoding="utf-8") as file:
        shapes = sorted({(row["op"], *(int(row[side]) for side in ("batch", "m", "n", "k"))) for row in csv.DictReader(file)})
    shapes = [s for s in shapes if 2 * s[1] * s[2] * s[3] * s[4] < 1e12 and s[1] * (s[2] * s[3] + s[3] * s[4] + s[2] * s[4]) < 1e9]
    random.Random(1).shuffle(shapes)
    torch.backends.cuda.matmul.allow_tf32 = False
    for dtype, word in [(torch.float32, "fp32"), (torch.bfloat16, "bf16")]:
        with torch.no_grad(), profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True) as prof:
            for op, batch, m, n, k in shapes[:count]:
                left = torch.randn(*([batch] if op == "bmm" else []), m, k, device="cuda", dtype=dtype)
                right = torch.randn(*([batch, k, n] if op == "bmm" else [n, k]), device="cuda", dtype=dtype)
                product = torch.bmm if op == "bmm" else torch.nn.functional.linear
                for _ in range(calls + 1):
                    product(left, right)
            torch.cuda.synchronize()
        prof.export_chrome_trace(os.path.join(folder, f"products_{word}.json"))


def main():
    names = CLASSIFIERS + list(TRANSFORMERS)
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--device", default="", help="key of devices.csv (default: the driver's name)")
    parser.add_argument("--table", default="networks,vector,profile")
    parser.add_argument("--shapes", default=os.path.join(os.path.dirname(__file__), "../measured/gpu/gemm.csv"))
    parser.add_argument("--count", type=int, default=200, help="most products of --table shapes")
    parser.add_argument("--models", default=",".join(names))
    parser.add_argument("--samples", type=int, default=50)
    options = parser.parse_args()
    tables, models = options.table.split(","), options.models.split(",")
    for word, known in [(t, ["networks", "vector", "profile", "shapes"]) for t in tables] + [(m, names) for m in models]:
        if word not in known:
            parser.error(f"'{word}' is not known; known: {', '.join(known)}")
    os.makedirs(options.output, exist_ok=True)
    common = {"device": options.device or torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda,
              "cudnn": torch.backends.cudnn.version(), "host_cpus": os.cpu_count(), "samples": options.samples,
              "source": "tilewright:torch_bench"}
    if "vector" in tables:
        measure_operators(Table(os.path.join(options.output, "vector.csv"), OPERATOR_COLUMNS, common), options.samples)
    if "networks" in tables:
        table = Table(os.path.join(options.output, "model_latency.csv"), COLUMNS, common | {"gpus": 1})
        torch.backends.cudnn.benchmark = True
        for name in [m for m in models if m in CLASSIFIERS]:
            measure_classifier(table, name, options.samples)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        for name in [m for m in models if m in TRANSFORMERS]:
            measure_transformer(table, name, options.samples)
    if "shapes" in tables:
        write_shapes(options.output, options.shapes, options.count)
    if "profile" in tables:
        write_profiles(options.output)


if __name__ == "__main__":
    main()
