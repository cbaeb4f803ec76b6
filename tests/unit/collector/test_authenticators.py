from __future__ import annotations

import base64
import os
import threading
from typing import TYPE_CHECKING

import bcrypt
import pytest

from otel_carbon.collector.authenticators import (
    BasicUsers,
    PasswordsBusy,
    basic_user_file,
    basic_users,
    bearer_token_file,
    bearer_tokens,
    read_htpasswd,
)
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

QUICK = 4
"""The lowest cost of bcrypt."""


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(QUICK)).decode()


@pytest.mark.parametrize(
    ("authorization", "is_admitted"),
    [
        ("Bearer first", True),
        ("Bearer second", True),
        ("bearer first", True),  # RFC 9110: schemes are not case-sensitive
        ("Bearer  first ", True),
        ("Bearer FIRST", False),
        ("Bearer third", False),
        ("Bearer ", False),
        ("Bearer", False),
        ("Basic first", False),
        ("first", False),
        ("", False),
        ("Bearer \xff\xfe", False),
    ],
)
def test_any_of_the_tokens_is_admitted_and_nothing_else(authorization: str, is_admitted: bool) -> None:
    authenticator = bearer_tokens(["first", "second"])
    assert authenticator.admits(authorization) is is_admitted
    assert authenticator.remembers(authorization) is is_admitted


def test_the_word_before_the_token_can_be_another() -> None:
    authenticator = bearer_tokens(["t"], scheme="ApiKey")
    assert authenticator.admits("ApiKey t")
    assert not authenticator.admits("Bearer t")
    assert authenticator.challenge == "ApiKey"


def test_tokens_of_a_file_are_read_anew_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("old\n\nother\n", encoding="utf-8")
    authenticator = bearer_token_file(path, key="extensions.bearertokenauth.filename", interval_s=0)
    assert authenticator.admits("Bearer old")
    assert authenticator.admits("Bearer other")
    path.write_text("newer\n", encoding="utf-8")
    assert authenticator.admits("Bearer newer")
    assert not authenticator.admits("Bearer old")
    path.write_text("\n", encoding="utf-8")  # no token at all would lock everybody out
    assert authenticator.admits("Bearer newer")


@pytest.mark.parametrize(("text", "what"), [(None, "cannot be read"), ("\n \n", "holds no token")])
def test_a_file_without_tokens_is_refused_at_the_start(tmp_path: Path, text: str | None, what: str) -> None:
    path = tmp_path / "tokens"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"extensions.bearertokenauth.filename: {what}"):
        bearer_token_file(path, key="extensions.bearertokenauth.filename")


@pytest.mark.parametrize(
    ("authorization", "is_admitted"),
    [
        (basic("ann", "secret"), True),
        (basic("ben", "plain:with colon"), True),
        (basic("ann", "Secret"), False),
        (basic("ben", ""), False),
        (basic("cat", "secret"), False),
        (basic("", ""), False),
        ("Basic not-base64", False),
        ("Basic", False),
        ("Bearer secret", False),
        ("", False),
    ],
)
def test_users_are_admitted_with_their_passwords(authorization: str, is_admitted: bool) -> None:
    users = basic_users(f"ann:{hashed('secret')}\n# a comment\n\nben:plain:with colon\n", key="k")
    assert users.admits(authorization) is is_admitted


def test_a_password_of_more_than_72_bytes_is_taken_as_other_tools_take_it() -> None:
    users = basic_users(f"ann:{hashed('x' * 72)}", key="k")
    assert users.admits(basic("ann", "x" * 100))
    assert not users.admits(basic("ann", "x" * 71))


def test_a_password_that_was_right_is_remembered_until_the_user_changes() -> None:
    current = {"ann": hashed("one").encode()}
    users = BasicUsers(lambda: current)
    assert not users.remembers(basic("ann", "one"))
    assert users.admits(basic("ann", "one"))
    assert users.remembers(basic("ann", "one"))
    assert not users.remembers(basic("ann", "two"))
    current = {"ann": hashed("two").encode()}
    assert not users.remembers(basic("ann", "one"))
    assert not users.admits(basic("ann", "one"))
    assert users.admits(basic("ann", "two"))


def test_only_one_password_is_compared_at_a_time_and_known_ones_pass() -> None:
    slow = bcrypt.hashpw(b"guess me", bcrypt.gensalt(12))
    users = BasicUsers(lambda: {"slow": slow, "quick": b"plain"})
    assert users.admits(basic("quick", "plain"))
    guessing = threading.Thread(target=lambda: users.admits(basic("slow", "wrong")))
    guessing.start()
    try:
        while guessing.is_alive():
            try:
                users.admits(basic("slow", "another"))
            except PasswordsBusy:
                break
        else:
            raise AssertionError("two passwords were compared at a time")
        assert users.admits(basic("quick", "plain"))
    finally:
        guessing.join()


def test_users_of_a_file_are_read_anew_and_those_in_place_win(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.write_text("ann:one\nben:file\n", encoding="utf-8")
    users = basic_user_file(path, "ben:inline", key="k", interval_s=0)
    assert users.admits(basic("ann", "one"))
    assert users.admits(basic("ben", "inline"))
    assert not users.admits(basic("ben", "file"))
    path.write_text("ann:two\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert not users.admits(basic("ann", "one"))
    assert users.admits(basic("ann", "two"))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("tell-nobody", "line 2 is not user:password"),
        (":tell-nobody", "line 2 is not user:password"),
        ("tell-nobody:", "line 2 is not user:password"),
        ("u:{SHA}tell-nobody", "line 2 has another hash than bcrypt; make it with htpasswd -B"),
        ("u:$apr1$tell-nobody", "line 2 has another hash than bcrypt; make it with htpasswd -B"),
        ("u:$2y$10$tell-nobody", "line 2 has a bcrypt hash that is damaged, or of a cost over 15"),
        ("u:$2y$31$" + "a" * 53, "line 2 has a bcrypt hash that is damaged, or of a cost over 15"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_not_shown(line: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_htpasswd(f"good:one\n{line}\n", key="extensions.basicauth.htpasswd.file")
    assert str(caught.value) == f"extensions.basicauth.htpasswd.file: {what}"


def test_no_users_at_all_are_refused() -> None:
    with pytest.raises(ConfigError, match="names no user"):
        read_htpasswd("# nobody\n", key="k")
