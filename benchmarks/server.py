"""Serve fixed answers on loopback, much faster than any client, in a process and on a core of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

__all__ = ["ANSWERS", "Server", "serving"]


def _mensatek(count: int) -> str:
    fields = {
        "Res": count,
        "idMensaje": "480032817",
        "Destinatarios": count,
        "Mensajes": count,
        "NoEnviados": 0,
        "CreditosUsados": count,
        "Cred": 1000000,
    }
    return json.dumps([fields], separators=(",", ":"))


ANSWERS: Mapping[str, str] = {
    "mensatek_1": _mensatek(1),
    "mensatek_100": _mensatek(100),
    "mensatek_1000": _mensatek(1000),
    # The fields that each SDK needs to find an id, and no more.
    "twilio": '{"sid":"SM00000000000000000000000000000001","status":"queued","num_segments":"1","error_code":null,'
    '"date_created":"Tue, 30 Apr 2030 10:00:00 +0000","price":null,"to":"+34600000000","direction":"outbound-api"}',
    "slack": '{"ok":true,"channel":"C0123456789","ts":"1904040000.000100","message":{"type":"message","text":"ok",'
    '"user":"U0123456789","ts":"1904040000.000100"}}',
    "telegram": '{"ok":true,"result":{"message_id":480032817,"date":1904040000,'
    '"chat":{"id":600000000,"type":"private","first_name":"Ana"},"text":"ok"}}',
    "telnyx": '{"data":{"id":"40385f64-5717-4562-b3fc-2c963f66afa6","record_type":"message","direction":"outbound",'
    '"type":"SMS","parts":1,"to":[{"phone_number":"+34600000000","status":"queued"}]}}',
}

_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""
_ONE = "    server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 '{body}'; }} }}"


@frozen
class Server:
    """Addresses of the answers, ``urls[name]`` without a path, and ``kind``, the name of the server software."""

    kind: str
    urls: Mapping[str, str]


@contextmanager
def serving(core: int | None, answers: Mapping[str, str] = ANSWERS, *, raw: bool = False) -> Iterator[Server]:
    """Serve each answer on a port of its own, to any request, and end the server afterwards.

    With ``raw``, or with ``MENSASDK_BENCH_SERVER=raw`` in the environment, nginx is not used.
    """
    raw = raw or os.environ.get("MENSASDK_BENCH_SERVER") == "raw"
    nginx = None if raw else shutil.which("nginx")
    with ExitStack() as stack:
        server = stack.enter_context(_nginx(nginx, core, answers)) if nginx is not None else None
        if server is None:
            server = stack.enter_context(_raw(core, answers))
        yield server


@contextmanager
def _nginx(program: str, core: int | None, answers: Mapping[str, str]) -> Iterator[Server | None]:
    """Serve with nginx as one process; yield None where it does not start."""
    with tempfile.TemporaryDirectory() as folder:
        ports = _free_ports(len(answers))
        config = Path(folder) / "nginx.conf"
        servers = "\n".join(
            _ONE.format(port=port, body=body) for port, body in zip(ports, answers.values(), strict=True)
        )
        config.write_text(_CONFIG.format(folder=folder, servers=servers), encoding="utf-8")
        command = [program, "-p", folder, "-c", str(config)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            if not _listening(process, ports):
                yield None
                return
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            urls = {name: f"http://127.0.0.1:{port}" for name, port in zip(answers, ports, strict=True)}
            yield Server("nginx", urls)
        finally:
            process.terminate()
            process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _listening(process: subprocess.Popen[bytes], ports: list[int]) -> bool:
    for _ in range(100):
        if process.poll() is not None:
            return False
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


@contextmanager
def _raw(core: int | None, answers: Mapping[str, str]) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.raw_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"core": core, "answers": dict(answers)}) + "\n")
        process.stdin.flush()
        ports = json.loads(process.stdout.readline())
        yield Server("raw asyncio", {name: f"http://127.0.0.1:{port}" for name, port in ports.items()})
        process.stdin.close()  # ends it
