"""The error tree. Each class carries `code`, `status` and `retryable`; app/api/errors.py renders them once.

ServiceError                      500 internal_error
├─ BadInputError                  422 bad_input
│  ├─ AnomalousPayloadError       400 anomalous_payload       a body that is not this provider's
│  └─ TooLargeError               413 too_large
├─ UnsupportedEventError          200 unsupported_event       ignored on purpose, nobody retries
├─ UnauthenticatedError           401 unauthenticated
│  └─ SignatureError              403 bad_signature
├─ ForbiddenError                 403 forbidden
├─ NotFoundError                  404 not_found
├─ ConflictError                  409 conflict
│  ├─ SlotTakenError              409 slot_taken
│  └─ IdempotencyConflictError    422 idempotency_key_reused
├─ RateLimitedError               429 rate_limited
├─ UnavailableError               503 unavailable             retryable
├─ MisconfiguredError             500 misconfigured           stops the start
└─ DeliveryError                  502 delivery_failed
   ├─ RetryableDeliveryError      retryable; may carry retry_after seconds
   ├─ PermanentDeliveryError      never retried
   └─ UnknownOutcomeError         may have been sent: reconcile before anything else
"""

from typing import ClassVar


class ServiceError(Exception):
    """Anything this service says went wrong."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        """Carry a sentence a caller may read, and optionally seconds to wait before a retry."""
        super().__init__(detail or self.code)
        self.detail = detail or self.code
        self.retry_after = retry_after


class BadInputError(ServiceError):
    """The request is well-formed but cannot be taken."""

    code = "bad_input"
    status = 422


class AnomalousPayloadError(BadInputError):
    """A body that is not this provider's."""

    code = "anomalous_payload"
    status = 400


class TooLargeError(BadInputError):
    """The body or text is larger than allowed."""

    code = "too_large"
    status = 413


class UnsupportedEventError(ServiceError):
    """An event ignored on purpose: answered 200 so that nobody retries it."""

    code = "unsupported_event"
    status = 200


class UnauthenticatedError(ServiceError):
    """Missing or unknown credentials."""

    code = "unauthenticated"
    status = 401


class SignatureError(UnauthenticatedError):
    """The provider's signature is missing, wrong or stale."""

    code = "bad_signature"
    status = 403


class ForbiddenError(ServiceError):
    """Known caller, not allowed."""

    code = "forbidden"
    status = 403


class NotFoundError(ServiceError):
    """No such thing for this tenant."""

    code = "not_found"
    status = 404


class ConflictError(ServiceError):
    """The state moved on."""

    code = "conflict"
    status = 409


class SlotTakenError(ConflictError):
    """Somebody else has the slot."""

    code = "slot_taken"


class IdempotencyConflictError(ConflictError):
    """The same idempotency key came with another body."""

    code = "idempotency_key_reused"
    status = 422


class RateLimitedError(ServiceError):
    """Too many requests from one caller."""

    code = "rate_limited"
    status = 429
    retryable = True


class UnavailableError(ServiceError):
    """A part we cannot do without is down."""

    code = "unavailable"
    status = 503
    retryable = True


class MisconfiguredError(ServiceError):
    """Settings that cannot work; stops the start with a sentence."""

    code = "misconfigured"


class DeliveryError(ServiceError):
    """A message could not be handed to a provider."""

    code = "delivery_failed"
    status = 502


class RetryableDeliveryError(DeliveryError):
    """The provider certainly did not take it; try later."""

    code = "delivery_retryable"
    retryable = True


class PermanentDeliveryError(DeliveryError):
    """The provider refused it for good."""

    code = "delivery_permanent"


class UnknownOutcomeError(DeliveryError):
    """The provider may have taken it."""

    code = "delivery_unknown"
