package dev.sluice.service.authz;

/** A request to the authorization service that its proxy's configuration makes invalid. The message names the field. */
final class InvalidCheckException extends Exception {

    private static final long serialVersionUID = 1L;

    InvalidCheckException(String message) {
        super(message);
    }
}
