package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jboss.logging.Logger;

/** Warns once of a cluster on which identifiers are spread without a secret. */
final class HashKeyCheck {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    HashKeyCheck(RedisConnectionManager manager) {
        var warned = new AtomicBoolean();
        manager.onChange(cause -> {
            var connection = manager.connectionOrNull();
            if (connection != null && connection.isSharded() && !warned.getAndSet(true)) {
                LOG.warn(
                        "rate-limit.redis.hash-key is not set: callers who choose their identifiers can make them fall on one slot"
                                + " of the cluster. Set it to one secret for all instances; windows then begin anew");
            }
        });
    }
}
