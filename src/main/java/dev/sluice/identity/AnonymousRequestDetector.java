package dev.sluice.identity;

import io.vertx.ext.web.RoutingContext;

/** Knows at a glance of requests that they have no principal, so that authentication need not be asked. */
@FunctionalInterface
public interface AnonymousRequestDetector {

    /** Whether authentication would certainly find nobody; false where it might. */
    boolean isCertainlyAnonymous(RoutingContext request);
}
