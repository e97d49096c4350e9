"""The graph that ships computes what is trained."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (make torch)")

from blender_motiondiff.core.denoiser import weights as files  # noqa: E402
from blender_motiondiff.core.denoiser.layout import REACH, token_distance  # noqa: E402
from blender_motiondiff.core.denoiser.network import Denoiser  # noqa: E402
from blender_motiondiff.core.denoiser.onnx_backend import UNSEEN  # noqa: E402
from training import graph  # noqa: E402
from training.export import sample_input, write_config  # noqa: E402

SMALL = {"width": 24, "layers": 2, "heads": 3, "time_width": 16}
OPERATORS = 227  # a call, of the bundled network


def made(**sizes):
    torch.manual_seed(0)
    net = Denoiser(**{**SMALL, **sizes}).eval()
    for parameter in net.parameters():
        parameter.data = (parameter.data + 0.1 * torch.randn_like(parameter)).half().float()
    return net


def write_halves(folder, net):
    tensors = {name: value.detach().numpy().astype(np.float16) for name, value in net.state_dict().items()}
    files.write_tensors(folder / files.MODEL, tensors)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("graph")
    write_halves(out, made())
    graph.write(out, SMALL)
    return out


@pytest.mark.parametrize("shape", [(1, 1, 8), (3, 1, 40), (2, 2, 132)])
@pytest.mark.parametrize("there", [0.0, 1.0])
def test_it_answers_as_the_network_does(folder, shape, there):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(folder / files.GRAPH), providers=["CPUExecutionProvider"])
    tables = files.read_tensors(folder / files.MODEL)
    noisy, given, free, level, present, distance = sample_input(*shape)
    free[:, 0, 4:8, :30] = 0.0
    with torch.no_grad():
        wanted = made()(noisy, given, free, level, present * there, distance).numpy()
    arrays = (noisy, given, free, level[:1], present * there, distance)
    names = ("noisy", "given", "free", "level", "present", "distance")
    inputs = {n: a.numpy() for n, a in zip(names, arrays, strict=True)}
    for name in [i.name for i in session.get_inputs() if i.name not in names]:
        seen = np.abs(distance - REACH) < REACH
        inputs[name] = np.where(seen, tables[name].astype(np.float32).T[None][..., distance], UNSEEN)
    (answer,) = session.run(None, inputs)
    assert answer.shape == wanted.shape and np.abs(answer - wanted).max() < 1e-5 * max(1.0, np.abs(wanted).max())
    assert (answer[:, 0, 4:8, :30] == 0).all() and np.abs(answer).max() > 0.01


def test_parameters_that_it_does_not_know_are_refused_by_name(tmp_path):
    net = made()
    net.extra = torch.nn.Linear(2, 2)
    write_halves(tmp_path, net)
    with pytest.raises(SystemExit, match=r"extra\.bias, extra\.weight"):
        graph.write(tmp_path, SMALL)
    assert not (tmp_path / files.GRAPH).exists()


def test_the_bundled_graph_is_the_one_that_is_written_today(tmp_path):
    weights = files.load()
    (tmp_path / files.MODEL).write_bytes((weights.folder / files.MODEL).read_bytes())
    graph.write(tmp_path, weights.config["network"])
    written = onnx.load(tmp_path / files.GRAPH, load_external_data=False).graph
    assert written == onnx.load(weights.folder / files.GRAPH, load_external_data=False).graph


def test_operators_a_call(tmp_path):
    """What depends on parameters alone is computed when the session loads. One more operator costs microseconds."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level, options.optimized_model_filepath = 3, str(tmp_path / "computed.onnx")
    runtime.InferenceSession(str(files.load().folder / files.GRAPH), options, providers=["CPUExecutionProvider"])
    computed = onnx.load(tmp_path / "computed.onnx", load_external_data=False).graph
    assert len(computed.node) <= OPERATORS


def test_what_is_not_seen_is_nothing_but_no_denormal_number():
    """ONNX Runtime's exponentials of numbers below about -87 are denormal, and slow a hundredfold."""
    share = np.exp(np.float32(UNSEEN))
    assert np.finfo(np.float32).tiny < share * np.exp(np.float32(-20.0)) and share < np.finfo(np.float32).eps * 1e-6
    assert token_distance(400).max() == 2 * REACH


def test_the_folder_is_loaded_by_the_back_end(tmp_path):
    from blender_motiondiff.core.denoiser import onnx_backend
    from training.export import write_numbers

    net, tables = made(), files.load().tables
    write_numbers(tmp_path, net, tables)
    graph.write(tmp_path, net.config)
    write_config(tmp_path, net, {}, [])
    noisy, given, free, _, present, _ = (np.asarray(v) for v in sample_input(1, 2, 40))
    assert onnx_backend.load(tmp_path)(noisy, given, free, 0.5, present).shape == noisy.shape
