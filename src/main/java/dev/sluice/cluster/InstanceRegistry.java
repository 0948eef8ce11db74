package dev.sluice.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ResetScope;
import dev.sluice.store.redis.ResetPoller;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Membership of the instances that share a Redis, and an estimate of Redis's clock. While Redis is unavailable, the last known
 * values are used.
 */
public final class InstanceRegistry implements MicrosClock {

    /** Time without a heartbeat after which an instance is considered gone. */
    static final Duration EXPIRY = Duration.ofSeconds(5);

    /** Replies with a longer round trip are no sample of the clock: the delay may have occurred in either direction. */
    private static final Duration MAX_CLOCK_ROUND_TRIP = Duration.ofMillis(20);

    /**
     * Reply of announce.lua.
     *
     * @param serverMicros Redis's time in microseconds
     * @param lostSince {@link #NOTHING_LOST}, {@link #ALL_LOST}, or the time since which Redis has lost writes
     * @param lastSeen time of each instance's last heartbeat, by id
     */
    record AnnounceReply(long serverMicros, long lostSince, Map<String, Long> lastSeen, List<ResetScope> resets) {
    }

    static final long NOTHING_LOST = Long.MAX_VALUE;
    static final long ALL_LOST = 0;

    private record ClockSample(long micros, long nanos) {
    }

    /** @param rank of this instance among the sorted ids, from 0 */
    private record Membership(int size, int rank) {
    }

    private final String id = UUID.randomUUID().toString().substring(0, 13);
    private final String instancesKey;
    private final String markKey;
    private final String resetsKey;
    private final LuaScript announceScript;
    private final LuaScript tellScript;
    private final Set<String> peers = new HashSet<>();
    private volatile Membership membership;
    private volatile ClockSample clockSample;
    /** Id of the last reset received. */
    private String lastResetId = "";
    private long lastSequence;
    private long acknowledgedSequence;
    private volatile long acknowledgedAt;

    /**
     * @param expected number of instances to assume until Redis has been reached
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    public InstanceRegistry(HashTags hashTags, int expected, String timeExpression) {
        this.instancesKey = hashTags.globalKey("{fleet}:instances");
        this.markKey = hashTags.globalKey("{fleet}:mark:" + id);
        this.resetsKey = hashTags.globalKey("{fleet}:resets");
        this.announceScript = LuaScript.load(InstanceRegistry.class, "announce.lua", timeExpression);
        this.tellScript = LuaScript.load(ResetPoller.class, "tell.lua", timeExpression);
        this.membership = new Membership(expected, expected - 1);
    }

    /** Returns this instance's share of a limit. The shares add up to the limit, but each is at least 1. */
    public long share(long limit) {
        var current = membership;
        return Math.max(1, limit / current.size() + (current.rank() < limit % current.size() ? 1 : 0));
    }

    /** Returns the number of instances when Redis was last reached, this one included. */
    public int size() {
        return membership.size();
    }

    /** Returns the estimate of Redis's time; the system's time before the first reply. */
    @Override
    public long micros() {
        var known = clockSample;
        return known == null
                ? SYSTEM.micros()
                : known.micros() + TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - known.nanos());
    }

    /** Returns the time of this instance's last acknowledged mark, by Redis's clock in microseconds; 0 if there is none. */
    long acknowledgedAt() {
        return acknowledgedAt;
    }

    /** Returns the ids of the other instances when Redis was last reached. */
    synchronized Set<String> peers() {
        return Set.copyOf(peers);
    }

    /** Reads the state without changing it. */
    Future<AnnounceReply> query(RedisScriptConnection connection) {
        return announce(connection, 0, false);
    }

    /** Writes this instance's mark, after losses before it have been recorded, so that each loss is handled once. */
    Future<AnnounceReply> mark(RedisScriptConnection connection) {
        return announce(connection, nextSequence(), false);
    }

    /** Sends a heartbeat, which tells the other instances that this one's grants are counted in Redis. */
    Future<AnnounceReply> announce(RedisScriptConnection connection) {
        return announce(connection, nextSequence(), true);
    }

    private synchronized long nextSequence() {
        return ++lastSequence;
    }

    private Future<AnnounceReply> announce(RedisScriptConnection connection, long sequence, boolean present) {
        long sentAt = System.nanoTime();
        String since;
        synchronized (this) {
            since = lastResetId;
        }
        return connection
                .eval(announceScript, List.of(instancesKey, markKey, resetsKey),
                        List.of(id, Long.toString(sequence), since, present ? "1" : "0"))
                .onSuccess(connection::reportRepairs).map(reply -> parseReply(reply, sequence, sentAt, since));
    }

    private synchronized AnnounceReply parseReply(Response reply, long sequence, long sentAt, String since) {
        long now = System.nanoTime();
        long serverMicros = reply.get(0).toLong();
        if (clockSample == null || now - sentAt < MAX_CLOCK_ROUND_TRIP.toNanos()
                || now - clockSample.nanos() > EXPIRY.toNanos()) {
            clockSample = new ClockSample(serverMicros, sentAt + (now - sentAt) / 2);
        }
        long lost = lostSince(reply.get(1).toString());
        if (sequence > 0) {
            acknowledgedSequence = Math.max(acknowledgedSequence, sequence);
            acknowledgedAt = serverMicros;
        }
        var times = new HashMap<String, Long>();
        var members = reply.get(2);
        for (int i = 0; i < members.size(); i += 2) {
            times.put(members.get(i).toString(), members.get(i + 1).toLong());
        }
        return new AnnounceReply(serverMicros, lost, times, parseResets(reply.get(3), since));
    }

    /** Compares this instance's mark with the last acknowledged one: if it is older, later writes are lost. */
    private long lostSince(String found) {
        if (acknowledgedSequence == 0) {
            return NOTHING_LOST;
        }
        int colon = found.indexOf(':');
        if (colon < 0) {
            return ALL_LOST;
        }
        return Long.parseLong(found.substring(0, colon)) < acknowledgedSequence
                ? Long.parseLong(found.substring(colon + 1))
                : NOTHING_LOST;
    }

    private List<ResetScope> parseResets(Response entries, String since) {
        var scopes = new ArrayList<ResetScope>();
        for (var entry : entries) {
            lastResetId = entry.get(0).toString();
            var fields = entry.get(1);
            if (!since.isEmpty() && !fields.get(1).toString().equals(id)) {
                var resource = fields.get(5).toString();
                scopes.add(new ResetScope(fields.get(3).toString(), resource.isEmpty() ? null : resource));
            }
        }
        if (lastResetId.isEmpty()) {
            lastResetId = "0-0";
        }
        return scopes;
    }

    /**
     * Updates the membership from a reply.
     *
     * @param complete whether all instances have had time to send a heartbeat; otherwise known instances are kept
     */
    synchronized void updateMembership(AnnounceReply reply, boolean complete) {
        if (complete) {
            peers.clear();
        }
        peers.addAll(reply.lastSeen().keySet());
        peers.remove(id);
        var all = new TreeSet<>(peers);
        all.add(id);
        membership = new Membership(all.size(), all.headSet(id).size());
    }

    /** Publishes a reset to all instances, whose memory holds copies of the windows in Redis. */
    public Future<Void> publishReset(RedisScriptConnection connection, ResetScope scope) {
        var resource = scope.resource() == null ? "" : scope.resource();
        return connection.eval(tellScript, List.of(resetsKey), List.of(id, scope.identifier(), resource))
                .onSuccess(connection::reportRepairs).mapEmpty();
    }

    /** Removes this instance from the membership. */
    Future<Void> leave(RedisScriptConnection connection) {
        return Future.join(connection.send(Request.cmd(Command.ZREM).arg(instancesKey).arg(id)),
                connection.send(Request.cmd(Command.DEL).arg(markKey))).mapEmpty();
    }
}
