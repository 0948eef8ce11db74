package dev.sluice.service.edge;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** The expectation {@code 100-continue} (RFC 9110, section 10.1.1). */
public final class ExpectContinue {

    private ExpectContinue() {
    }

    /** Sends 100 (Continue) to a client that waits for it before it sends the body. */
    public static void accept(HttpServerRequest request) {
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            request.response().writeContinue();
        }
    }
}
