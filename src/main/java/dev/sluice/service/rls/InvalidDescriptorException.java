package dev.sluice.service.rls;

/** Reports a request that is invalid. The message says what is allowed, without content of the request. */
final class InvalidDescriptorException extends Exception {

    private static final long serialVersionUID = 1;

    InvalidDescriptorException(String message) {
        super(message);
    }
}
