package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicReference;

import org.jboss.logging.Logger;

import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/**
 * Warns of a Redis that evicts keys when its memory is full: windows and ledger would be lost unnoticed, whereas rejected writes
 * open the circuit and the fallback takes over. Policies {@code allkeys-*} evict stored identities too, which have no expiry. The
 * policy is read from {@code INFO}, which managed services permit.
 */
final class EvictionPolicyCheck {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final String SAFE = "noeviction";

    private final RedisConnectionManager manager;
    /** Policy of the last warning, so that there is one log line per change rather than per connection. */
    private final AtomicReference<String> lastWarnedPolicy = new AtomicReference<>(SAFE);
    /** Policy by which a server evicts keys; null if none is known to. */
    private volatile String evictingPolicy;

    EvictionPolicyCheck(RedisConnectionManager manager) {
        this.manager = manager;
        manager.onChange(cause -> {
            if (cause == null) {
                check();
            }
        });
    }

    /** Returns the policy by which Redis evicts keys when its memory is full; null if it is not known to evict any. */
    String evictingPolicy() {
        return evictingPolicy;
    }

    private void check() {
        evictingPolicy = null;
        manager.connection().onSuccess(connection -> connection.servers().forEach(server -> server
                .apply(Request.cmd(Command.INFO).arg("memory"))
                .onSuccess(
                        info -> warnIfEvicting(field(info.toString(), "maxmemory"), field(info.toString(), "maxmemory_policy")))
                .onFailure(failure -> LOG.debug("Eviction policy of Redis could not be read", failure))));
    }

    private void warnIfEvicting(String limit, String policy) {
        boolean evicts = policy != null && !SAFE.equals(policy) && limit != null && !"0".equals(limit);
        if (evicts) {
            evictingPolicy = policy;
        }
        if (evicts && !policy.equals(lastWarnedPolicy.getAndSet(policy))) {
            LOG.warnf("Redis evicts keys when its memory is full: maxmemory-policy=%s. Windows and the ledger"
                    + (policy.startsWith("allkeys") ? ", and stored keys, users, teams and organisations," : "")
                    + " would be lost unnoticed and limits exceeded. Set maxmemory-policy to noeviction: a full Redis then rejects writes,"
                    + " and rate-limit.fallback takes over", policy);
        }
    }

    /**
     * Returns a field of the reply to INFO.
     *
     * @return null if there is no such field
     */
    static String field(String info, String name) {
        for (var line : info.split("\r?\n")) {
            if (line.startsWith(name + ':')) {
                return line.substring(name.length() + 1).strip();
            }
        }
        return null;
    }
}
