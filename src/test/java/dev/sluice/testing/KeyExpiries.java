package dev.sluice.testing;

import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/**
 * Lists keys with the time to their expiry. One script reads them all, as Redis stops its clock for it: a key that it lists cannot
 * expire before it is asked.
 */
public final class KeyExpiries {

    private static final String SCRIPT = """
            local found = {}
            for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
                found[#found + 1] = {key, redis.call('PTTL', key)}
            end
            return found""";

    private KeyExpiries() {
    }

    /** Returns a request whose response has a pair for each key: its name and PTTL, in milliseconds. */
    public static Request matching(String pattern) {
        return Request.cmd(Command.EVAL).arg(SCRIPT).arg(0).arg(pattern);
    }
}
