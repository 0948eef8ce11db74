package dev.sluice.redis;

import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/**
 * Keys of which a script has deleted a foreign value: one of another type, or one that cannot be read.
 *
 * @param keys number of keys
 * @param first name of the first one
 */
public record Repair(long keys, String first) {

    /** Replaces the key in the reply of decide.lua if no key was repaired and the bound on windows denied requests. */
    private static final String BOUND = "bound";

    /**
     * Reads the repair that decide.lua, announce.lua, merge.lua or tell.lua appends to its reply.
     *
     * @return null where nothing was repaired, as in nearly all replies
     */
    public static Repair of(Response reply) {
        var event = event(reply);
        return event == null || event.first.equals(BOUND) ? null : event;
    }

    /** Returns the number of groups of requests that decide.lua denied by the bound on windows. */
    public static long denials(Response reply) {
        var event = event(reply);
        return event == null || !event.first.equals(BOUND) ? 0 : event.keys;
    }

    private static Repair event(Response reply) {
        int size = reply.size();
        if (size < 3) {
            return null;
        }
        var last = reply.get(size - 1); // a number or an array in nearly all replies
        var before = reply.get(size - 2);
        return last != null && last.type() == ResponseType.BULK && before != null && before.type() == ResponseType.NUMBER
                ? new Repair(before.toLong(), last.toString())
                : null;
    }
}
