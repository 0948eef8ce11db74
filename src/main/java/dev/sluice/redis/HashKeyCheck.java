package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jboss.logging.Logger;

/** Warns once if identifiers are distributed over the slots of a cluster without a secret hash key. */
final class HashKeyCheck {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    HashKeyCheck(RedisConnectionManager manager) {
        var warned = new AtomicBoolean();
        manager.onChange(cause -> {
            var connection = manager.connectionOrNull();
            if (connection != null && connection.isSharded() && !warned.getAndSet(true)) {
                LOG.warn(
                        "rate-limit.redis.hash-key is not set: callers that choose their identifiers can direct them all to one slot"
                                + " of the cluster. Set it to the same secret on all instances; this resets all windows");
            }
        });
    }
}
