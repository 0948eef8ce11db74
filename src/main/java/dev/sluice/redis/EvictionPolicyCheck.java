package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicReference;

import org.jboss.logging.Logger;

import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/**
 * Warns of a Redis that drops keys when it is full: windows and ledger would be forgotten unseen, where a Redis that refuses
 * to write is noticed, and the fallback takes over. Read from {@code INFO}, which managed services leave open.
 */
final class EvictionPolicyCheck {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final String SAFE = "noeviction";

    private final RedisConnectionManager manager;
    /** The policy that was last warned of: one line per change, not per connection. */
    private final AtomicReference<String> lastWarnedPolicy = new AtomicReference<>(SAFE);

    EvictionPolicyCheck(RedisConnectionManager manager) {
        this.manager = manager;
        manager.onChange(cause -> {
            if (cause == null) {
                check();
            }
        });
    }

    private void check() {
        manager.connection().onSuccess(connection -> connection.servers().forEach(server -> server
                .apply(Request.cmd(Command.INFO).arg("memory"))
                .onSuccess(info -> warnIfEvicting(field(info.toString(), "maxmemory"), field(info.toString(), "maxmemory_policy")))
                .onFailure(failure -> LOG.debug("Redis does not tell its eviction policy", failure))));
    }

    private void warnIfEvicting(String limit, String policy) {
        boolean evicts = policy != null && !SAFE.equals(policy) && limit != null && !"0".equals(limit);
        if (evicts && !policy.equals(lastWarnedPolicy.getAndSet(policy))) {
            LOG.warnf("Redis drops keys when it is full (maxmemory-policy %s): windows and the ledger would be forgotten"
                    + " without a word, and callers let in again. Set maxmemory-policy noeviction: a Redis that is full then"
                    + " says so, and rate-limit.fallback takes over", policy);
        }
    }

    /** @return null where there is no such line */
    static String field(String info, String name) {
        for (var line : info.split("\r?\n")) {
            if (line.startsWith(name + ':')) {
                return line.substring(name.length() + 1).strip();
            }
        }
        return null;
    }
}
