"""FunctionDefaults: the layer that functions share unless they are given others."""

from __future__ import annotations

from unittest import mock

import pytest

from components.blocks.compute.function_defaults import FunctionDefaults
from tests.support.pulumi_mocks import arn_of, evaluate

LAYER = "aws:lambda/layerVersion:LayerVersion"


pytestmark = pytest.mark.usefixtures("build_layer")


def test_functions_of_a_stack_share_one_layer() -> None:
    evaluation = evaluate(lambda: [FunctionDefaults().layer_arns(), FunctionDefaults(tracing=False).layer_arns()])
    arn = arn_of(LAYER, "handlers-python3.14-arm64")
    assert evaluation.result == [[arn], [arn]]
    layer = evaluation.one(LAYER)
    assert layer.parent is None
    assert (layer.inputs["compatibleRuntimes"], layer.inputs["compatibleArchitectures"]) == (["python3.14"], ["arm64"])


def test_each_platform_has_its_layer() -> None:
    x86 = FunctionDefaults(architecture="x86_64")
    evaluation = evaluate(lambda: [FunctionDefaults().layer_arns(), x86.layer_arns()])
    assert len(evaluation.of(LAYER)) == 2


def test_each_run_of_a_program_declares_its_layer() -> None:
    for _ in range(2):
        assert len(evaluate(lambda: FunctionDefaults().layer_arns()).of(LAYER)) == 1


@pytest.mark.parametrize("layers", [[], ["arn:layer"]])
def test_given_layers_are_taken_instead(layers: list[str], build_layer: mock.Mock) -> None:
    assert evaluate(lambda: FunctionDefaults(layers=layers).layer_arns()).result == layers
    build_layer.assert_not_called()
