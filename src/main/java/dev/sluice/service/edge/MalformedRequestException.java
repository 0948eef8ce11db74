package dev.sluice.service.edge;

/** Thrown while a request is decoded. The message must not repeat content of the request. */
final class MalformedRequestException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String field;

    /** @param field what is malformed, for the error response */
    MalformedRequestException(String field, String message) {
        super(message);
        this.field = field;
    }

    String field() {
        return field;
    }

    /** Exceptions are thrown by clients at will: a stack trace would cost more than the response. */
    @Override
    public Throwable fillInStackTrace() {
        return this;
    }
}
