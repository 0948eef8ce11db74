package dev.sluice.store.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowKeys;
import io.vertx.core.Future;
import io.vertx.redis.client.Response;

/**
 * Decisions that go to Redis in one call of the script, which makes them one after the other. Requests of one identifier that
 * follow each other and ask for the same are one {@link Group}, decided at once with the outcome that each would have had.
 */
final class DecisionBatch {

    /** So many groups go together: a script that runs for long keeps others waiting. */
    static final int MAX_GROUPS = 256;
    private static final int SLOTS = 64;
    /** So many requests are one group. */
    static final int MAX_GROUP_SIZE = 1000;
    /** As many different plans: their numbers are bytes of a text. */
    private static final int MAX_OPERATIONS = 64;
    private static final int FIRST_OPERATION_CODE = 33;

    /** Requests of one identifier for the same, in order. */
    static final class Group {

        private final PendingDecision first;
        /** Null for most groups, which have one member. */
        private List<PendingDecision> others;

        private Group(PendingDecision first) {
            this.first = first;
        }

        int size() {
            return others == null ? 1 : 1 + others.size();
        }

        PendingDecision member(int number) {
            return number == 0 ? first : others.get(number - 1);
        }

        private boolean accepts(PendingDecision decision) {
            return decision.operation == first.operation && decision.identifier.equals(first.identifier) && !first.operation.reserves()
                    && size() < MAX_GROUP_SIZE;
        }

        private void add(PendingDecision decision) {
            if (others == null) {
                others = new ArrayList<>();
            }
            others.add(decision);
        }
    }

    private final List<Group> groups = new ArrayList<>();
    /**
     * By the hash of its identifier, the last group of one identifier each. A group that was replaced by another identifier's takes
     * no more requests: they begin a new one behind it.
     */
    private final Group[] lastGroups = new Group[SLOTS];
    private final List<ClaimPlan.Operation> operations = new ArrayList<>(2);
    private final StringBuilder operationCodes = new StringBuilder();
    private final long sentAt;
    private int keyCount;
    private int reservationCount;
    private int requestCount;

    /** @param sentAt when it is sent, in listened time */
    DecisionBatch(long sentAt) {
        this.sentAt = sentAt;
    }

    /** @return false where there is no room for it */
    boolean add(PendingDecision decision) {
        int slot = decision.identifier.hashCode() & SLOTS - 1;
        var group = lastGroups[slot];
        if (group != null && group.accepts(decision)) {
            group.add(decision);
            requestCount++;
            return true;
        }
        if (groups.size() == MAX_GROUPS) {
            return false;
        }
        int operation = operations.indexOf(decision.operation);
        if (operation < 0) {
            if (operations.size() == MAX_OPERATIONS) {
                return false;
            }
            operation = operations.size();
            operations.add(decision.operation);
        }
        operationCodes.append((char) (FIRST_OPERATION_CODE + operation));
        group = new Group(decision);
        groups.add(group);
        lastGroups[slot] = group;
        requestCount++;
        keyCount += decision.keys.length;
        reservationCount += decision.operation.reserves() ? 1 : 0;
        return true;
    }

    List<Group> groups() {
        return groups;
    }

    /** Returns how many requests there are. */
    int requestCount() {
        return requestCount;
    }

    /** Returns when it was sent, in listened time. */
    long sentAt() {
        return sentAt;
    }

    boolean isEmpty() {
        return groups.isEmpty();
    }

    Future<Response> send(RedisScriptConnection connection, LuaScript script) {
        var parts = new ArrayList<byte[]>(keyCount + reservationCount + 3 + 8 * operations.size());
        for (var group : groups) {
            for (var key : group.first.keys) {
                parts.add(key);
            }
        }
        parts.add(operationCodes.toString().getBytes(StandardCharsets.ISO_8859_1));
        parts.add(encodeSizes());
        parts.add(ClaimPlan.bytes(Integer.toString(operations.size())));
        for (var operation : operations) {
            parts.addAll(operation.arguments());
        }
        if (reservationCount > 0) {
            for (var group : groups) {
                if (group.first.operation.reserves()) {
                    parts.add(ClaimPlan.bytes(WindowKeys.reservationMember(group.first.reservationId)));
                }
            }
        }
        return connection.eval(script, keyCount, parts);
    }

    /** Two bytes per group, the higher one first; nothing where each is of one. */
    private byte[] encodeSizes() {
        if (requestCount == groups.size()) {
            return new byte[0];
        }
        var sizes = new byte[2 * groups.size()];
        for (int i = 0; i < groups.size(); i++) {
            int size = groups.get(i).size();
            sizes[2 * i] = (byte) (size >> 8);
            sizes[2 * i + 1] = (byte) size;
        }
        return sizes;
    }

    /** Redis's time in an answer to {@link #send}. */
    static long serverTime(Response reply) {
        return reply.get(0).toLong();
    }

    /**
     * Reads what a response says of each group: the outcomes of its members, in order; null where a key holds something else
     * that could not be deleted.
     */
    List<StoreResult[]> read(Response reply) {
        long clock = serverTime(reply);
        var results = new ArrayList<StoreResult[]>(groups.size());
        int index = 1;
        for (var group : groups) {
            long status = reply.get(index++).toLong();
            if (status < 0) {
                results.add(null);
                continue;
            }
            int size = group.size();
            int admitted = (int) (status & 1);
            if (size > 1) {
                admitted = reply.get(index++).toInteger();
            }
            int windows = group.first.plan.size();
            results.add(results(group, admitted, clock + (status >> 1), reply, index));
            index += 3 * windows;
        }
        return results;
    }

    /** @param index where the windows' states stand, as they are after the last member */
    private static StoreResult[] results(Group group, int admitted, long now, Response reply, int index) {
        var plan = group.first.plan;
        var results = new StoreResult[group.size()];
        for (int i = 0; i < results.length; i++) {
            if (i > admitted) {
                results[i] = results[admitted]; // a refusal changes nothing
                continue;
            }
            boolean granted = i < admitted;
            var states = new StoreResult.WindowState[plan.size()];
            for (int j = 0; j < states.length; j++) {
                long takenLater = granted && group.first.operation.consume() ? (admitted - 1L - i) * plan.get(j).cost() : 0;
                states[j] = new StoreResult.WindowState(reply.get(index + 3 * j).toLong() - takenLater, reply.get(index + 3 * j + 1).toLong(),
                        granted ? 0 : reply.get(index + 3 * j + 2).toLong());
            }
            results[i] = new StoreResult(granted, now, states);
        }
        return results;
    }
}
