"""What a system may cost: the expected bill by line, the budget, the phases of its roadmap."""

from pydantic import Field, model_validator

from bot.core.units import Model, Name


class Usd(Model):
    """Dollars a month; no `high_usd` means "and more"."""

    low_usd: float = Field(ge=0)
    high_usd: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> "Usd":
        if self.high_usd is not None and self.low_usd > self.high_usd:
            raise ValueError(f"low_usd {self.low_usd:g} is above high_usd {self.high_usd:g}")
        return self


class CostLine(Usd):
    """One line of the expected bill."""

    service: Name | None = None
    basis: str = ""


class Cost(Usd):
    """The bill that is expected each month; a budget is another thing."""

    lines: dict[str, CostLine] = Field({})


class Budget(Model):
    """Where spending is stopped by people, and the shares of it at which they hear."""

    limit_usd: float = Field(gt=0)
    warn_at_pct: tuple[int, ...] = (50, 80, 100)


class Phase(Model):
    """One phase of a system's roadmap."""

    starts: str = Field(pattern=r"^\d{4}-\d{2}$")
    ends: str = Field("", pattern=r"^(\d{4}-\d{2})?$")
    environment: Name | None = None
    cost: Usd
