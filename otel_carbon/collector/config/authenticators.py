"""Settings of the extensions that authenticate clients: the meaning, unit and default of every key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from otel_carbon.collector.authenticators import (
    basic_user_file,
    basic_users,
    bearer_token_file,
    bearer_tokens,
)
from otel_carbon.collector.client_auth import bearer_token, bearer_token_of_file, user_and_password
from otel_carbon.collector.config.modelling import Field, SecretStr, model_validator
from otel_carbon.collector.config.values import Name, Section
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from otel_carbon.collector.authenticators import Authenticator
    from otel_carbon.collector.client_auth import Authorization


class BearerTokenAuthConfig(Section):
    """Takes requests that carry one of the tokens in `authorization`."""

    token: SecretStr | None = Field(default=None, min_length=1, description="The token; best as `${env:NAME}`.")
    tokens: tuple[SecretStr, ...] = Field(default=(), description="Several tokens, while one is replaced by another.")
    filename: str | None = Field(
        default=None,
        min_length=1,
        description="File with a token on each line, read anew when it changes; stands in for the other two.",
    )
    scheme: Name = Field(default="Bearer", description="The word before the token.")

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        values = [each.get_secret_value().strip() for each in self._given()]
        if self.filename is None and not values:
            raise ValueError("needs a token: set token, tokens or filename")
        if not all(values):
            raise ValueError("must not hold an empty token")
        if self.filename is not None and values:
            raise ValueError("takes either filename, or token and tokens")
        return self

    @property
    def decides(self) -> bool:
        """Whether it can decide who may come."""
        return True

    def authenticator(self, key: str) -> Authenticator:
        """Make it.

        Raises:
            ConfigError: the file cannot be used.
        """
        if self.filename is not None:
            return bearer_token_file(Path(self.filename), key=f"{key}.filename", scheme=self.scheme)
        return bearer_tokens((each.get_secret_value().strip() for each in self._given()), scheme=self.scheme)

    def authorization(self, key: str) -> Authorization:
        """Make what an exporter sends: the first token.

        Raises:
            ConfigError: the file cannot be used, or no header can carry the token.
        """
        if self.filename is not None:
            return bearer_token_of_file(Path(self.filename), key=f"{key}.filename", scheme=self.scheme)
        return bearer_token(self._given()[0].get_secret_value().strip(), key=key, scheme=self.scheme)

    def _given(self) -> tuple[SecretStr, ...]:
        return (*((self.token,) if self.token else ()), *self.tokens)


class HtpasswdConfig(Section):
    """Users, one on each line: `user:bcrypt hash` (`htpasswd -B`), or `user:password`."""

    file: str | None = Field(default=None, min_length=1, description="File of users, read anew when it changes.")
    inline: SecretStr | None = Field(
        default=None, min_length=1, description="Users in place, such as `me:${env:PASSWORD}`; they win over the file."
    )

    @model_validator(mode="after")
    def _names_users(self) -> Self:
        if self.file is None and self.inline is None:
            raise ValueError("needs users: set file or inline")
        return self


class ClientCredentialsConfig(Section):
    """What exporters send."""

    username: Name = Field(description="The user.")
    password: SecretStr = Field(min_length=1, description="The password; best as `${env:NAME}`.")


class BasicAuthConfig(Section):
    """Takes requests of users with a password (HTTP Basic), or sends such requests."""

    htpasswd: HtpasswdConfig | None = Field(default=None, description="Who may come, for what listens.")
    client_auth: ClientCredentialsConfig | None = Field(default=None, description="Who this is, for exporters.")

    @model_validator(mode="after")
    def _for_one_at_least(self) -> Self:
        if self.htpasswd is None and self.client_auth is None:
            raise ValueError("needs htpasswd, for what listens, or client_auth, for exporters")
        return self

    @property
    def decides(self) -> bool:
        """Whether it can decide who may come."""
        return self.htpasswd is not None

    def authorization(self, key: str) -> Authorization:
        """Make what an exporter sends.

        Raises:
            ConfigError: it knows users only that may come.
        """
        if self.client_auth is None:
            raise ConfigError((f"{key}: has no client_auth, which is what exporters send",))
        return user_and_password(self.client_auth.username, self.client_auth.password.get_secret_value())

    def authenticator(self, key: str) -> Authenticator:
        """Make it.

        Raises:
            ConfigError: the users cannot be read, or there are none.
        """
        if self.htpasswd is None:
            raise ConfigError((f"{key}: has no htpasswd, which says who may come",))
        inline = self.htpasswd.inline.get_secret_value() if self.htpasswd.inline else ""
        if self.htpasswd.file is None:
            return basic_users(inline, key=f"{key}.htpasswd.inline")
        return basic_user_file(Path(self.htpasswd.file), inline, key=f"{key}.htpasswd.file")


AuthenticatorConfig = BearerTokenAuthConfig | BasicAuthConfig


def problem_with(config: AuthenticatorConfig) -> str | None:
    """What keeps an authenticator from being made; None if it can be."""
    try:
        if config.decides:
            config.authenticator("")
    except ConfigError as error:
        return error.problems[0].partition(": ")[2]
    return None
