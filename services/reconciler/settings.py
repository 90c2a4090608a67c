"""What the reconciler reads from its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from services.reconciler.schedule import OFF, Schedule, is_cron
from shared.settings import BrokerSettings, ShopSettings, StripeSettings
from shared.vocabulary import JobName

QUARTER_HOURLY: Final = "*/15 * * * *"
NIGHTLY: Final = "15 3 * * *"
MONDAYS_AT_NIGHT: Final = "15 3 * * 1"
EARLY: Final = "30 4 * * *"
SUNDAYS: Final = "45 4 * * 0"
MONDAY_MORNINGS: Final = "0 6 * * 1"

_SMALL: Final[Mapping[str, str]] = {JobName.RECOVER: QUARTER_HOURLY}
_MEDIUM: Final[Mapping[str, str]] = {
    **_SMALL,
    JobName.SNAPSHOT: MONDAYS_AT_NIGHT,
    JobName.REPORT: MONDAY_MORNINGS,
}
_LARGE: Final[Mapping[str, str]] = {**_MEDIUM, JobName.SNAPSHOT: NIGHTLY, JobName.VERIFY: EARLY}

PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "small": _SMALL,
    "medium": _MEDIUM,
    "large": _LARGE,
}
"""When jobs run, by the size of the store; what is not named does not."""


def _times(text: str | None) -> str | None:
    if text is not None and text != OFF and not is_cron(text):
        raise ValueError(f"must be five fields such as '{NIGHTLY}', or '{OFF}'")
    return text


Times = Annotated[str | None, AfterValidator(_times)]
"""A cron expression of five fields, `off`, or None for what the size of the store says."""


class ReconcilerSettings(BrokerSettings, StripeSettings, ShopSettings):
    """The database, the queue, Stripe, the shop, and when jobs run."""

    sweep_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30
    """Seconds between two looks, and how long a product may wait before its hint counts as lost."""
    store_size: Literal["small", "medium", "large"] = "small"
    webhook_silence_hours: Annotated[float, Field(ge=0, le=720)] = 6
    """Hours in which Stripe shows sales and no webhook comes before people are told; 0 is off."""
    verify_confirm_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60
    """Seconds between the two looks that make a difference a finding."""
    job_recover: Times = None
    job_snapshot: Times = None
    job_verify: Times = None
    job_report: Times = None
    job_canary: Times = None
    canary_product: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")] = None
    """A product that keeps stock and that nobody minds being disturbed."""

    @property
    def schedules(self) -> dict[str, Schedule]:
        """When each job runs; what is off is not among them."""
        own: dict[str, str | None] = {
            JobName.RECOVER: self.job_recover,
            JobName.SNAPSHOT: self.job_snapshot,
            JobName.VERIFY: self.job_verify,
            JobName.REPORT: self.job_report,
            JobName.CANARY: self.job_canary,
        }
        preset = {**PRESETS[self.store_size], **({JobName.CANARY: SUNDAYS} if self.canary_product else {})}
        wanted = {job: preset.get(job, OFF) if times is None else times for job, times in own.items()}
        return {job: Schedule(times, self.zone) for job, times in wanted.items() if times != OFF}
