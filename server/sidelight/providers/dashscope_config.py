"""Which DashScope is asked: its addresses, the key, and what the user set for its questions."""

from __future__ import annotations

from dataclasses import dataclass

from sidelight.errors import ConfigurationError
from sidelight.messages import msg

# https://www.alibabacloud.com/help/en/model-studio/base-url, October 2026. Other regions have workspace addresses only.
CHINA = "https://dashscope.aliyuncs.com/api/v1"
SINGAPORE = "https://dashscope-intl.aliyuncs.com/api/v1"
US = "https://dashscope-us.aliyuncs.com/api/v1"
HONG_KONG = "https://cn-hongkong.dashscope.aliyuncs.com/api/v1"

DEFAULT_ADDRESS = CHINA
DEFAULT_MODEL = "qwen-plus"
GENERATION = "/services/aigc/text-generation/generation"
_COMPATIBLE = "/compatible-mode"


@dataclass(frozen=True, slots=True)
class DashScopeConfig:
    """``address`` may be the bare origin or end in /api/v1; ``key_withheld`` says why ``key`` is empty."""

    address: str = DEFAULT_ADDRESS
    key: str = ""
    model: str = DEFAULT_MODEL
    temperature: float | None = None
    context_tokens: int = 0
    key_withheld: bool = False

    @property
    def origin(self) -> str:
        """The address without the path of either API."""
        address = self.address.partition(_COMPATIBLE)[0].rstrip("/").removesuffix(GENERATION)
        return address.removesuffix("/v1").removesuffix("/api")

    @property
    def compatible(self) -> str:
        """The address of the OpenAI-compatible API on the same machine."""
        return f"{self.origin}{_COMPATIBLE}/v1"

    def model_or(self, chosen: str | None) -> str:
        """Return the model that was chosen for a question, else the configured one."""
        return chosen or self.model or DEFAULT_MODEL


def api_of(config: DashScopeConfig) -> str:
    """Return the address of the native API. Raises ``ConfigurationError`` for the compatible one's."""
    if _COMPATIBLE in config.address:
        raise ConfigurationError(
            msg("{url} is DashScope's OpenAI-compatible API, and not its own.", url=config.address),
            msg("Set SIDELIGHT_PROVIDER=openai and OPENAI_BASE_URL={url} (the key goes into OPENAI_API_KEY), or let "
                "DASHSCOPE_BASE_URL end in /api/v1.", url=config.compatible),
        )  # fmt: skip
    return f"{config.origin}/api/v1"


def authorization(config: DashScopeConfig) -> dict[str, str]:
    """Return the header with the key. Raises ``ConfigurationError`` for what can be no key."""
    if not config.key.isascii():
        raise ConfigurationError(
            msg("DASHSCOPE_API_KEY holds a character that no key has."), msg("Copy the key again, without quotes.")
        )
    return {"Authorization": f"Bearer {config.key}"} if config.key else {}
