"""What is configured about language models: endpoints, tiers, limits, prices.

Not here: calling them (app/adapters/chat.py) or what they are asked (app/adapters/llm.py).
"""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from core.settings import Section

_MILLION = 1_000_000


class LlmSettings(Section):
    """The language model. Without `base_url`, `api_key` and `azure_endpoint` there is none, and answers are extracted.

    `model` answers, `second_model` when it fails, `cheap_model` rewrites questions (else `model`). On Azure they are
    the names of deployments. Times in seconds: `first_token_timeout` until the first words and between words,
    `timeout` for all. Tokens: `max_input_tokens` for the passages and `max_output_tokens` for the answer of a turn;
    `daily_tokens` and `daily_cost` (USD) per tenant and UTC day, 0 for no limit. `prices` are USD per million tokens:
    `{"gpt-4o-mini": [0.15, 0.60]}` for in and out.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_LLM_", populate_by_name=True)

    base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    azure_endpoint: str = ""
    azure_api_version: str = "2024-10-21"
    model: str = "gpt-4o-mini"
    cheap_model: str = ""
    second_model: str = ""
    first_token_timeout: float = Field(default=6.0, gt=0, le=120)
    timeout: float = Field(default=25.0, gt=0, le=300)
    rewrite_timeout: float = Field(default=4.0, gt=0, le=60)
    max_input_tokens: int = Field(default=3_000, ge=200)
    max_output_tokens: int = Field(default=500, ge=50)
    daily_tokens: int = Field(default=0, ge=0)
    daily_cost: float = Field(default=0.0, ge=0)
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.azure_endpoint and not self.api_key.get_secret_value():
            raise ValueError(
                "USHER_LLM_AZURE_ENDPOINT needs OPENAI_API_KEY, the key of that resource"
            )
        unpriced = [name for name in self.names if name not in self.prices]
        if self.daily_cost and unpriced:
            raise ValueError(
                f"USHER_LLM_DAILY_COST needs a price for {unpriced[0]!r} in USHER_LLM_PRICES"
            )
        return self

    @property
    def is_configured(self) -> bool:
        """Return whether there is a model at all."""
        return bool(self.base_url or self.azure_endpoint or self.api_key.get_secret_value())

    @property
    def names(self) -> tuple[str, ...]:
        """Return every model that may be called, each once; none when nothing is configured."""
        if not self.is_configured:
            return ()
        named = (self.model, self.second_model, self.cheap_model)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def answering(self) -> tuple[str, ...]:
        """Return the models that answer, in the order they are tried."""
        return self._ordered(self.model, self.second_model)

    @property
    def rewriting(self) -> tuple[str, ...]:
        """Return the models that rewrite questions, in the order they are tried."""
        return self._ordered(self.cheap_model, self.model)[:2]

    def _ordered(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(names) if name and name in self.names)

    def tier(self, model: str) -> str:
        """Return which of the configured models this is: `first`, `second` or `cheap`."""
        if model == self.model:
            return "first"
        return "second" if model == self.second_model else "cheap"

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float:
        """Return what a use costs in USD; 0 for a model without a price."""
        price_in, price_out = self.prices.get(model, (0.0, 0.0))
        return (tokens_in * price_in + tokens_out * price_out) / _MILLION
