"""What AWS answers, or fails to, as this project's errors: what is wrong, with which setting, and what to do."""

from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from alchemiser_common.errors import AlchemiserError, InvalidSettings, StoreUnavailable

_ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
_DENIED = {"AccessDenied", "AccessDeniedException"}
_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_SIGNATURE = {
    "IncompleteSignature",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Asking:
    """Calls to AWS about `what`, e.g. "table runs", which `setting` names: `with Asking(...)`.

    Raises InvalidSettings for what does not exist or needs credentials that nothing gives, else StoreUnavailable: the
    queue's redelivery, or a person who mends a role, can still help, and nothing is acknowledged meanwhile.
    """

    what: str
    setting: str

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Turn botocore's errors into ours; all others pass."""
        match error:
            case ClientError():
                raise answered(self.what, self.setting, error) from error
            case NoCredentialsError() | PartialCredentialsError():
                raise InvalidSettings(
                    f"{self.what}: {error}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                    "(only the stage commands ask for an instance's role)"
                ) from error
            case BotoCoreError():
                raise StoreUnavailable(
                    f"{self.what}: no answer from AWS ({type(error).__name__}); a write may have happened"
                ) from error


def answered(what: str, setting: str, error: ClientError) -> AlchemiserError:
    """The error for an answer of AWS that is not a success."""
    code = code_of(error)
    said = str(error.response.get("Error", {}).get("Message", ""))[:_SHOWN]
    if code in _ABSENT:
        return InvalidSettings(f"{what} does not exist in that account and region ({code}); check {setting}")
    if code in _DENIED:
        return StoreUnavailable(f"{what}: the role may not do that ({code}: {said}); grant it, then deliver again")
    if code in _CREDENTIALS:
        return StoreUnavailable(f"{what}: AWS refuses the credentials ({code}); log in again or check AWS_PROFILE")
    if code in _SIGNATURE:
        return StoreUnavailable(
            f"{what}: AWS refuses the signature ({code}: {said}); check this machine's clock, then the secret key"
        )
    return StoreUnavailable(f"{what}: {code}: {said}")


def code_of(error: ClientError) -> str:
    """AWS's name for the fault."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def retried(error: ClientError) -> bool:
    """Whether an earlier attempt of the same call failed, and so may have acted all the same."""
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) > 0
