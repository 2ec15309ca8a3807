"""Names that a user may write, by kind: where each is defined, and one line about it.

Plain data, so that the command line, `disparsity list` and error messages need not import what the names stand for.
A new method is one file of its folder and one line here.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from disparsity.base.errors import InputError


class Entry(NamedTuple):
    """What a name stands for.

    Attributes:
        target: ``module:attribute`` below the package `disparsity`; empty where the name itself is the value.
        summary: one line for users.

    """

    target: str
    summary: str


ENTRIES: dict[str, dict[str, Entry]] = {
    "networks": {
        "reference": Entry(
            "stereo.networks.stereonet:REFERENCE", "669,954 parameters, disparities to 48, difference volume"
        ),
        "stereonet": Entry(
            "stereo.networks.stereonet:STEREONET", "425,378 parameters, disparities to 192, difference volume"
        ),
        "stereonet_8x": Entry(
            "stereo.networks.stereonet:STEREONET_8X", "399,746 parameters, disparities to 192, difference volume"
        ),
        "anynet": Entry("stereo.networks.anynet:ANYNET", "34,629 parameters, disparities to 192, l1 and warped volume"),
        "anynet_spn": Entry(
            "stereo.networks.anynet:ANYNET_SPN", "43,269 parameters, disparities to 192, l1 and warped volume"
        ),
        "psmnet_basic": Entry(
            "stereo.networks.psmnet:BASIC", "3,672,896 parameters, disparities to 192, concatenation volume"
        ),
        "psmnet_hourglass": Entry(
            "stereo.networks.psmnet:HOURGLASS", "5,224,768 parameters, disparities to 192, concatenation volume"
        ),
        "psmnet_sceneflow_2018": Entry(
            "stereo.networks.psmnet:SCENEFLOW_2018", "5,224,768 parameters, disparities to 192, concatenation volume"
        ),
        "psmnet_sceneflow_2021": Entry(
            "stereo.networks.psmnet:SCENEFLOW_2021", "5,224,768 parameters, disparities to 192, concatenation volume"
        ),
        "gwcnet_g": Entry(
            "stereo.networks.gwcnet:GWCNET_G", "6,518,560 parameters, disparities to 192, groupwise volume"
        ),
        "gwcnet_gc": Entry(
            "stereo.networks.gwcnet:GWCNET_GC",
            "6,909,728 parameters, disparities to 192, groupwise and concatenation volume",
        ),
        "gcnet": Entry("stereo.networks.gcnet:GCNET", "2,845,409 parameters, disparities to 192, concatenation volume"),
        "mobilestereonet_2d": Entry(
            "stereo.networks.mobilestereonet2d:MOBILESTEREONET_2D",
            "2,352,706 parameters, disparities to 192, interlaced volume",
        ),
        "dispnetc": Entry(
            "stereo.networks.dispnetc:DISPNETC", "42,174,107 parameters, disparities to 160, correlation volume"
        ),
    },
    "checkpoints": {
        "builtin:reference": Entry("", "network reference, trained on synthetic scenes until its error stops falling"),
    },
    "scores": {
        "taylor": Entry(
            "pruning.scores.settings:TaylorSettings",
            "running average of weight x gradient (see form) from the training steps, at no extra pass",
        ),
        "taylor_pass": Entry(
            "pruning.scores.settings:TaylorPassSettings",
            "mean of weight x gradient (see form) in a pass of its own, BatchNorm in eval mode",
        ),
        "quant_aware": Entry(
            "pruning.scores.settings:QuantAwareSettings",
            "mean of quantized weight x gradient there (see form) in a pass of its own: the joint score",
        ),
        "obs": Entry(
            "pruning.scores.settings:ObsSettings",
            "error that is left after the layer's other weights are solved again, times the disparity's sensitivity",
        ),
        "fisher_obs": Entry(
            "pruning.scores.settings:FisherObsSettings",
            "weight^2 times the diagonal Fisher matrix of single samples, over two",
        ),
        "snip": Entry(
            "pruning.scores.settings:SnipSettings",
            "absolute derivative of the loss by the weight's mask, as a fraction of all",
        ),
        "synflow": Entry(
            "pruning.scores.settings:SynflowSettings",
            "flow over the weight through the network of absolute weights; needs no data",
        ),
        "magnitude": Entry("pruning.scores.settings:MagnitudeSettings", "absolute value of the weight"),
        "random": Entry("pruning.scores.settings:RandomSettings", "seeded noise, the control"),
    },
    "scopes": {
        "global": Entry("pruning.settings:GlobalSettings", "all weights compete with each other"),
        "per_layer": Entry("pruning.settings:PerLayerSettings", "every layer keeps the same fraction of its weights"),
        "erk": Entry(
            "pruning.settings:ErkSettings",
            "densities by the Erdos-Renyi-kernel rule: small layers stay denser; scores compete within each layer",
        ),
        "mac_weighted": Entry(
            "pruning.settings:MacWeightedSettings",
            "densities inversely proportional to the MACs that one weight costs; scores compete within each layer",
        ),
    },
    "schedules": {
        "log_density": Entry(
            "pruning.settings:LogDensitySettings",
            "density falls by the same factor at every event: start (end / start) ^ progress",
        ),
        "cubic": Entry(
            "pruning.settings:CubicSettings",
            "sparsity grows fast at first, then slowly (Zhu and Gupta 2017, equation 1)",
        ),
        "one_shot": Entry("pruning.settings:OneShotSettings", "the final density at the first event"),
        "cyclic": Entry(
            "pruning.settings:CyclicSettings",
            "density falls to its end several times; in between it returns to ever lower values",
        ),
    },
    "patterns": {
        "element": Entry("pruning.settings:ElementSettings", "single weights"),
        "2:4": Entry(
            "pruning.settings:NOfMSettings",
            "at most 2 of 4 neighbouring input channels; any N:M likewise, such as 1:4 or 4:8",
        ),
        "kernel": Entry(
            "pruning.settings:KernelSettings", "whole k x k (x k) slices between one input and one output channel"
        ),
        "channel": Entry(
            "pruning.settings:ChannelSettings",
            "whole channels with all that is coupled to them; the stage ends with a smaller network",
        ),
    },
    "modes": {
        "frozen": Entry("finetune.modes.settings:FrozenSettings", "pruned weights stay zero"),
        "regrow": Entry("finetune.modes.settings:RegrowSettings", "pruned weights may return while sparsity grows"),
        "reconstruct": Entry(
            "finetune.modes.settings:ReconstructSettings",
            "after every event the remaining weights of each layer are solved by least squares",
        ),
        "alternating": Entry(
            "finetune.modes.settings:AlternatingSettings",
            "between two events first a sparse phase, then a dense one without masks",
        ),
        "soft": Entry(
            "finetune.modes.settings:SoftSettings", "pruned weights decay by a factor per step instead of being cut"
        ),
        "rigl": Entry(
            "finetune.modes.settings:RigLSettings",
            "at every event weights are dropped by score and others grown by gradient",
        ),
    },
    "quantizers": {
        "lsq": Entry(
            "quant.quantizers.settings:LSQSettings", "a uniform grid, its steps learned with the weights; 1..16 bits"
        ),
        "uniform": Entry(
            "quant.quantizers.settings:UniformSettings",
            "a uniform grid, its steps kept as the initialisation chose them; 1..16 bits",
        ),
        "power_of_two": Entry(
            "quant.quantizers.settings:PowerOfTwoSettings",
            "weights of one power of two: products are shifts; 2..5 bits",
        ),
        "additive_power_of_two": Entry(
            "quant.quantizers.settings:AdditivePowerOfTwoSettings",
            "weights that are sums of powers of two (term_bits); 2..8 bits",
        ),
        "ternary": Entry(
            "quant.quantizers.settings:TernarySettings",
            "the pruned network's zeros, and signs times a learned scale; 2 bits",
        ),
        "scale_clip": Entry(
            "quant.quantizers.settings:ScaleClipSettings",
            "a uniform grid that ends at scale_clip mean magnitudes of a group of filters; 2..16 bits",
        ),
        "transform": Entry(
            "quant.quantizers.settings:TransformSettings",
            "weights stored as two factors in a decorrelated basis, arithmetic in float; 1..8 bits on average",
        ),
    },
    "allocations": {
        "uniform": Entry(
            "quant.allocations.settings:UniformAllocationSettings",
            "the same bits for every layer but the first, protected, wide and named ones",
        ),
        "greedy": Entry(
            "quant.allocations.settings:GreedySettings",
            "from the most bits down, where the output changes least per saved cost",
        ),
        "lagrangian": Entry(
            "quant.allocations.settings:LagrangianSettings",
            "equal slopes of the output's change over cost, and the rest of the budget spent greedily",
        ),
        "search": Entry(
            "quant.allocations.settings:SearchSettings",
            "learned: a layer controller for channels of 0 bits, a channel controller for the others' bits",
        ),
        "random": Entry(
            "quant.allocations.settings:RandomSearchSettings", "the best of random plans, the control of the search"
        ),
    },
    "teachers": {
        "none": Entry("finetune.settings:NoTeacherSettings", "ground truth only"),
        "dense": Entry(
            "finetune.settings:DenseTeacherSettings",
            "the network before compression, by the distance between the disparity maps; needs no labels",
        ),
        "in_network": Entry(
            "finetune.settings:InNetworkTeacherSettings",
            "the student itself with its pruned weights put back at their dense values",
        ),
    },
    "orders": {
        "prune_quantize": Entry(
            "", "prune, finetune, quantize, finetune_quantized: the sparse network is put on its grids"
        ),
        "quantize_prune": Entry(
            "", "quantize, finetune_quantized, prune, finetune: weights are removed behind trained grids"
        ),
        "alternating": Entry(
            "", "prune, quantize, finetune_quantized, then again prune and finetune_quantized, in several rounds"
        ),
        "simultaneous": Entry(
            "", "quantize, prune, finetune_quantized: weights are removed while the grids are trained"
        ),
    },
    "data": {
        "sceneflow": Entry("", "sceneflow:DIR?subset=test&pass=clean"),
        "kitti2012": Entry("", "kitti2012:DIR?ground_truth=occ"),
        "kitti2015": Entry("", "kitti2015:DIR?ground_truth=noc"),
        "middlebury": Entry("", "middlebury:DIR?resolution=H&ground_truth=noc"),
        "eth3d": Entry("", "eth3d:DIR?ground_truth=noc"),
        "folder": Entry("", "folder:DIR?left=left/*.png&right=right/*.png&disparity=disparity/*.pfm"),
        "list": Entry("", "list:FILE.txt?root=DIR"),
        "packed": Entry("", "packed:FILE.h5"),
        "synthetic": Entry("", "synthetic:?pairs=320&size=96x192&seed=0&max_disparity=48"),
    },
    "layouts": {
        "sceneflow": Entry("datasets.export:export_sceneflow", "FlyingThings3D: 8-bit PNG, disparity in float32"),
        "kitti2015": Entry("datasets.export:export_kitti2015", "KITTI 2015: 8-bit PNG, disparity in 1/256 px"),
    },
    "dataflows": {
        "os": Entry("hwcost.models.cycles:output_stationary", "every processing element finishes one output"),
        "ws": Entry("hwcost.models.cycles:weight_stationary", "every processing element keeps one weight"),
        "is": Entry("hwcost.models.cycles:input_stationary", "every processing element keeps one input"),
    },
    "runtimes": {
        "torch": Entry("evaluation.runtimes:open_in_torch", "checkpoints, on the CPU or a GPU"),
        "onnxruntime": Entry("evaluation.runtimes:open_in_onnxruntime", "what `export --format onnx` wrote"),
        "openvino": Entry("evaluation.runtimes:open_in_openvino", "what `export --format openvino` wrote"),
        "integer": Entry(
            "evaluation.runtimes:open_in_integers",
            "a quantized checkpoint, computed in integers as hardware would, slowly",
        ),
    },
    "latency_runtimes": {
        "onnxruntime": Entry("evaluation.latency:ONNXRUNTIME", "wall-clock time in ONNX Runtime"),
        "openvino": Entry("evaluation.latency:OPENVINO", "wall-clock time in OpenVINO"),
    },
    "formats": {
        "packed": Entry("export.packed:PACKED", "one HDF5 file with entropy-coded integers; `import` reads it back"),
        "onnx": Entry(
            "export.onnx.file:ONNX",
            "a graph for one input size, with QuantizeLinear and DequantizeLinear where the network is quantized; its "
            "zeros make nothing faster on a CPU",
        ),
        "openvino": Entry(
            "export.openvino.folder:OPENVINO",
            "a folder with network.xml and network.bin; says which kernel runs each convolution on this machine",
        ),
        "qonnx": Entry("export.qonnx.file:QONNX", "a graph with Quant nodes that hold the widths in bits"),
        "rtl": Entry(
            "export.rtl.folder:RTL",
            "a folder for a hardware team: the integers of a quantized network, golden vectors of one pair (some kB "
            "per pixel: take a small size), a manifest, a check in NumPy and an example in Verilog",
        ),
        "scalesim": Entry("export.workload:SCALESIM", "the workload at one input size as SCALE-Sim's topology"),
        "zigzag": Entry("export.workload:ZIGZAG", "the workload at one input size as ZigZag's workload"),
        "timeloop": Entry("export.workload:TIMELOOP", "the workload at one input size as Timeloop's problems"),
    },
}

_ROOT = Path(__file__).resolve().parent
_FOLDERS = {"recipes": _ROOT / "recipes", "profiles": _ROOT / "hwcost" / "profiles"}
"""Kinds whose names are those of the TOML files of a folder."""

KINDS = ("recipes", *ENTRIES, "profiles")


def summaries(kind: str) -> dict[str, str]:
    """The names of a kind, each with its one line; of an installed file this is the first sentence of its comment."""
    if kind in ENTRIES:
        return {name: entry.summary for name, entry in ENTRIES[kind].items()}
    return {path.stem: _first_sentence(path) for path in sorted(_FOLDERS[kind].glob("*.toml"))}


def installed(kind: str, name: str) -> Path:
    """The file of an installed recipe or profile.

    Raises:
        InputError: there is none of this name.

    """
    check_name(name, summaries(kind), kind)
    return _FOLDERS[kind] / f"{name}.toml"


def recipe_path(recipe: Path) -> Path:
    """The file of a recipe: the path itself, or the installed recipe where only a name is given.

    Raises:
        InputError: no installed recipe has this name.

    """
    is_name = not recipe.suffix and recipe.name == str(recipe) and not recipe.exists()
    return installed("recipes", recipe.name) if is_name else recipe


def load(kind: str, name: str) -> Any:
    """What a name stands for; its module is imported now.

    Raises:
        InputError: there is no such name.

    """
    check_name(name, ENTRIES[kind], kind)
    module, _, attribute = ENTRIES[kind][name].target.partition(":")
    return getattr(import_module(f"disparsity.{module}"), attribute)


def load_all(kind: str) -> dict[str, Any]:
    """Everything of a kind by its name."""
    return {name: load(kind, name) for name in ENTRIES[kind]}


def check_name(name: str, known: Collection[str], kind: str, where: str | None = None) -> None:
    """Refuse a name that is not among those of its kind.

    Raises:
        InputError: it is none of them; the message lists them and names the nearest.

    """
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean '{near[0]}'?" if near else None
    what = kind.removesuffix("s").replace("_", " ")
    raise InputError(f"unknown {what} '{name}'", where=where, expected=", ".join(known), remedy=remedy)


def _first_sentence(path: Path) -> str:
    lines = itertools.takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines())
    return " ".join(line.removeprefix("#").strip() for line in lines).split(". ")[0].removesuffix(".")
