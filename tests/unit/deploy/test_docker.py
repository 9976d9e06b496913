"""The command lines for a Docker engine, as text: none was at hand to run them."""

from __future__ import annotations

from pathlib import Path

from deploy.servers import docker, rabbitmq

PORTS = {"amqp": 1, "management": 2, "prometheus": 3}


def test_ports_are_published_on_the_loopback_interface_only() -> None:
    words = docker.rabbitmq_command(Path("/d"), PORTS, Path("/d/c.conf"))
    published = [words[i + 1] for i, word in enumerate(words) if word == "-p"]

    assert published == ["127.0.0.1:1:5672", "127.0.0.1:2:15672", "127.0.0.1:3:15692"]


def test_a_container_bears_our_label_and_leaves_no_trace_but_its_volume() -> None:
    words = docker.postgres_command(Path("/d"), {"port": 4}, Path("/d/env"))
    name = docker.container_name(Path("/d"), "postgres")

    assert "--rm" in words
    assert "warren.data=/d" in words
    assert f"{name}:/var/lib/postgresql/data" in words


def test_only_our_own_container_is_looked_for() -> None:
    words = docker.find_command(Path("/d"), "rabbitmq")

    assert f"name=^{docker.container_name(Path('/d'), 'rabbitmq')}$" in words
    assert "label=warren.data=/d" in words


def test_two_data_folders_have_two_containers() -> None:
    assert docker.container_name(Path("/a"), "postgres") != docker.container_name(Path("/b"), "postgres")


def test_a_password_is_in_a_file_and_not_in_the_list_of_processes() -> None:
    container = "secret" in " ".join(docker.postgres_command(Path("/d"), {"port": 4}, Path("/d/env")))

    assert not container
    assert "default_pass = secret" in docker.rabbitmq_config("secret")


def test_a_broker_in_a_container_has_the_limits_of_a_private_one() -> None:
    limits = (Path(__file__).parents[3] / "deploy/rabbitmq/limits.conf").read_text()

    assert f"max_message_size = {rabbitmq.MAX_MESSAGE_BYTES}\n" in limits
    assert f"consumer_timeout = {rabbitmq.CONSUMER_TIMEOUT_MS}\n" in limits
