package dev.sluice.service.proxy.connection;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLException;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import io.netty.resolver.dns.DnsNameResolverException;

/** Failure of a request to an upstream before its response began, or in the middle of it. */
public final class UpstreamException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** Cause of a failure. */
    public enum Cause {
        /** The host name cannot be resolved. */
        UNKNOWN_HOST("the host name cannot be resolved", "connect_failed"),
        /** No server accepts connections at the address. */
        REFUSED("the connection was refused", "connect_failed"),
        /** The connection was not established in time. */
        CONNECT_TIMEOUT("the connection was not established in time", "connect_failed"),
        /** The TLS handshake failed, or the upstream has rejected the client certificate. */
        TLS("the TLS handshake failed", "connect_failed"),
        /** All connections were in use until the queue timeout. */
        NO_FREE_CONNECTION("no free connection", "rejected"),
        /** The response did not begin in time, or the upstream did not read the request in time. */
        RESPONSE_TIMEOUT("no response in time", "timeout"),
        /** The upstream sent nothing for too long in the middle of a response. */
        IDLE_TIMEOUT("no data in time in the middle of a response", "timeout"),
        /** The upstream closed the connection, or reset the stream. */
        CLOSED("the connection was closed", "aborted"),
        /** The response is not valid HTTP. */
        INVALID_RESPONSE("the response is not valid HTTP", "aborted"),
        /** The client did not send its request body in time. */
        CLIENT_TIMEOUT("the client did not send its request body in time", "client_aborted"),
        /** The client's request body is not valid HTTP. */
        INVALID_REQUEST("the request body is malformed", "client_aborted"),
        /** The service stops, and the exchange was not complete in time. */
        SHUTDOWN("the service stops", "timeout");

        private final String description;
        private final String outcome;

        Cause(String description, String outcome) {
            this.description = description;
            this.outcome = outcome;
        }

        /** Returns the value of the metric's tag. */
        public String outcome() {
            return outcome;
        }

        /** Returns whether the upstream, not the client nor the limit of connections, is responsible. */
        public boolean isUpstreamFault() {
            return ordinal() < CLIENT_TIMEOUT.ordinal() && this != NO_FREE_CONNECTION;
        }

        /**
         * Returns whether a time limit was exceeded after the connection had been established: the upstream may process the request
         * all the same.
         */
        public boolean isTimeout() {
            return this == RESPONSE_TIMEOUT || this == IDLE_TIMEOUT || this == SHUTDOWN;
        }
    }

    /** Beginning of Netty's message about an upstream that responds to the preface of HTTP/2 with something else. */
    private static final String NOT_HTTP2 = "First received frame was not SETTINGS";

    private final Cause kind;

    /** @param cause exception behind the failure; may be null */
    public UpstreamException(Cause kind, Throwable cause) {
        super(kind.description, cause, false, false);
        this.kind = kind;
    }

    /** Returns the failure to establish a connection. */
    static UpstreamException connecting(Throwable failure) {
        for (var cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownHostException || cause instanceof DnsNameResolverException) {
                return new UpstreamException(Cause.UNKNOWN_HOST, failure);
            }
            if (cause instanceof SSLException) {
                return new UpstreamException(Cause.TLS, failure);
            }
            if (cause instanceof ConnectTimeoutException || cause instanceof TimeoutException) {
                return new UpstreamException(Cause.CONNECT_TIMEOUT, failure);
            }
            if (cause instanceof ConnectException || cause instanceof NoRouteToHostException) {
                return new UpstreamException(Cause.REFUSED, failure);
            }
        }
        return new UpstreamException(Cause.CLOSED, failure);
    }

    /** Returns the failure of an established connection. */
    public static UpstreamException exchanging(Throwable failure) {
        return failure instanceof UpstreamException known ? known : new UpstreamException(exchangeCause(failure), failure);
    }

    private static Cause exchangeCause(Throwable failure) {
        if (failure instanceof SSLException || failure.getCause() instanceof SSLException) {
            return Cause.TLS; // with TLS 1.3, the upstream rejects a client certificate after the handshake
        }
        return failure instanceof DecoderException || failure instanceof IllegalArgumentException
                || failure instanceof IllegalStateException ? Cause.INVALID_RESPONSE : Cause.CLOSED;
    }

    /** Returns the cause. */
    public Cause kind() {
        return kind;
    }

    /** Returns the description of the cause, with the message of the exception behind it. */
    public String describe() {
        var behind = getCause();
        while (kind == Cause.TLS && behind.getCause() != null && behind.getCause().getMessage() != null) {
            behind = behind.getCause(); // those above only repeat it, or say that there is no connection
        }
        if (kind == Cause.TLS && behind.getCause() instanceof ClosedChannelException) {
            return kind.description
                    + " (the upstream closed the connection; it may accept other TLS versions only, or no client"
                    + " without its certificate)";
        }
        var message = behind == null ? null : behind.getMessage();
        if (message != null && message.startsWith(NOT_HTTP2)) {
            return kind.description + " (the upstream does not use HTTP/2, which rate-limit.upstream.http2=true requires)";
        }
        return message == null ? kind.description : kind.description + " (" + message + ')';
    }
}
