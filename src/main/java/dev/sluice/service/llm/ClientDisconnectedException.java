package dev.sluice.service.llm;

/** The client disconnected before its call was complete; there is no response. */
final class ClientDisconnectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    ClientDisconnectedException() {
        super("The client has disconnected", null, false, false);
    }
}
