package dev.sluice.identity;

import io.vertx.ext.web.RoutingContext;

/** Detects requests without credentials, so that authentication can be skipped for them. */
@FunctionalInterface
public interface AnonymousRequestDetector {

    /**
     * Returns whether authentication would certainly yield the anonymous identity; false if that is not known without trying.
     */
    boolean isCertainlyAnonymous(RoutingContext request);
}
