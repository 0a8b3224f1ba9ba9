"""`pulumi-resource-aws` of the tests: serves the engine, keeps an account in a file, and never asks AWS."""

from __future__ import annotations

import json
import os
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.engine.provider.account import Account, Recording, RefusedError, Request, kind_of
from tests.engine.provider.inputs import DEFAULTS, NameTooLongError, change, checked

RECORDING_VARIABLE = "ENGINE_TESTS_RECORDING"
VERSION = "7.51.1"
_MAX_MESSAGE = 400 * 1024 * 1024
_THREADS = 16


class RecordingProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The AWS provider, without AWS.

    It names and compares resources as the real one does, and refuses what the account refuses. It answers no questions
    (`Invoke`, `Call`): a program that asks some needs credentials for its preview.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._account = Account(recording)
        self._default_tags: dict[str, str] = {}

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        arguments = _dictionary(request.args)
        self._recording.add(Request("Configure", inputs=arguments))
        tags = arguments.get("defaultTags") or {}
        self._default_tags = (json.loads(tags) if isinstance(tags, str) else tags).get("tags", {})
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, acceptResources=True, acceptOutputs=True, supportsPreview=True
        )

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        self._recording.add(Request("Invoke", inputs={"token": request.tok, **_dictionary(request.args)}))
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"{request.tok}: there are no credentials")

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        self._recording.add(Request("Call", inputs={"token": request.tok}))
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"{request.tok}: there are no credentials")

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        news, olds = _dictionary(request.news), _dictionary(request.olds)
        name = request.urn.rpartition("::")[2]
        try:
            inputs = checked(kind_of(request.urn), name, news, olds, request.randomSeed, self._default_tags)
        except (KeyError, NameTooLongError) as error:
            failure = provider_pb2.CheckFailure(reason=str(error))
            return provider_pb2.CheckResponse(inputs=request.news, failures=[failure])
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        found = change(kind_of(request.urn), _dictionary(request.old_inputs), _dictionary(request.news))
        some = provider_pb2.DiffResponse.DIFF_SOME if found.inputs else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some, diffs=found.inputs, replaces=found.replacing, deleteBeforeReplace=found.delete_first
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        inputs = _dictionary(request.properties)
        if request.preview:
            self._recording.add(Request("Create", request.urn, preview=True))
            return provider_pb2.CreateResponse(properties=_struct(_outputs(inputs)))
        try:
            identity, outputs = self._account.create(request.urn, inputs)
        except RefusedError as error:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, str(error))
        return provider_pb2.CreateResponse(id=identity, properties=_struct({**_outputs(inputs), **outputs}))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        inputs = _dictionary(request.news)
        if request.preview:
            self._recording.add(Request("Update", request.urn, request.id, preview=True))
        else:
            try:
                self._account.update(request.urn, request.id, inputs)
            except RefusedError as error:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        return provider_pb2.UpdateResponse(properties=_struct({**_dictionary(request.olds), **_outputs(inputs)}))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        self._recording.add(Request("Read", request.urn, request.id))
        if not self._account.exists(request.urn, request.id):
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        self._account.delete(request.urn, request.id)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - Pulumi's name
        return empty_pb2.Empty()


def _dictionary(struct: struct_pb2.Struct) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def _outputs(inputs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if key != DEFAULTS}


def serve() -> None:
    """Serve one run of the engine: print the port, and go on until the engine ends this process."""
    recording = Recording(Path(os.environ[RECORDING_VARIABLE]))
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(RecordingProvider(recording), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
