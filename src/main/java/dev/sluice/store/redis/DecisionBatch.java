package dev.sluice.store.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowKeys;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/**
 * Batch of decisions sent to Redis in one call of the script, which decides them in order. Consecutive requests of one identifier
 * for the same operation form one {@link Group}, which is decided at once with the same results as one by one.
 */
final class DecisionBatch {

    /** Maximum number of groups per call: a long-running script blocks Redis for other clients. */
    static final int MAX_GROUPS = 256;
    private static final int SLOTS = 64;
    /** Maximum number of requests per group. */
    static final int MAX_GROUP_SIZE = 1000;
    /** Maximum number of different operations: each is encoded as one byte of a string. */
    private static final int MAX_OPERATIONS = 64;
    private static final int FIRST_OPERATION_CODE = 33;

    /** In {@link #read}: the plan of the group is for calendar periods that do not contain Redis's time; nothing was decided. */
    static final StoreResult[] WRONG_PERIOD = new StoreResult[0];
    private static final int WRONG_PERIOD_STATUS = -2;
    /** Length of the numbers of an admitted request of several identifiers. */
    private static final int SHORT_NUMBER_BYTES = 7;

    /** Requests of one identifier for the same operation, in order. */
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
            return decision.operation == first.operation && decision.identifier.equals(first.identifier)
                    && !first.operation.reserves() && first.joint == null
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
     * Most recent group per hash slot of the identifier. A group whose slot is taken over by another identifier accepts no more
     * requests; later ones start a new group behind it.
     */
    private final Group[] lastGroups = new Group[SLOTS];
    private final List<ClaimPlan.Operation> operations = new ArrayList<>(2);
    private final StringBuilder operationCodes = new StringBuilder();
    /** Decisions of this batch that have to be sent again. */
    private final List<PendingDecision> unsent = new ArrayList<>(0);
    private final long sentAt;
    private int keyCount;
    private int reservationCount;
    private int requestCount;

    /** @param sentAt time of sending, in listened time */
    DecisionBatch(long sentAt) {
        this.sentAt = sentAt;
    }

    /**
     * Adds a decision.
     *
     * @return false if the batch is full
     */
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

    /** Adds a decision of this batch that has to be sent again, because Redis has not decided it. */
    void addUnsent(PendingDecision decision) {
        unsent.add(decision);
    }

    /** Returns the decisions of this batch that have to be sent again. */
    List<PendingDecision> unsent() {
        return unsent;
    }

    List<Group> groups() {
        return groups;
    }

    /** Returns the number of requests. */
    int requestCount() {
        return requestCount;
    }

    /** Returns the time of sending, in listened time. */
    long sentAt() {
        return sentAt;
    }

    boolean isEmpty() {
        return groups.isEmpty();
    }

    Future<Response> send(RedisScriptConnection connection, DecisionScript script) {
        var parts = new ArrayList<byte[]>(keyCount + reservationCount + 5 + 8 * operations.size());
        for (var group : groups) {
            for (var key : group.first.keys) {
                parts.add(key);
            }
        }
        parts.add(operationCodes.toString().getBytes(StandardCharsets.ISO_8859_1));
        parts.add(encodeSizes());
        parts.add(ClaimPlan.bytes(Integer.toString(operations.size())));
        parts.add(script.maxWindows());
        parts.add(script.instance());
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
        return connection.eval(script.lua(), keyCount, parts);
    }

    /** Encodes the group sizes, two bytes each, big-endian; empty if every group has one member. */
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

    /** Returns Redis's time in microseconds, from the reply to {@link #send}. */
    static long serverTime(Response reply) {
        return reply.get(0).toLong();
    }

    /**
     * Parses the reply into the results of each group's members, in order; null for a group with a key that holds a foreign value
     * which could not be deleted, and {@link #WRONG_PERIOD}.
     */
    List<StoreResult[]> read(Response reply) {
        long clock = serverTime(reply);
        var results = new ArrayList<StoreResult[]>(groups.size());
        int index = 1;
        for (var group : groups) {
            var first = reply.get(index++);
            if (first.type() == ResponseType.BULK) {
                results.add(jointResult(group, clock, first.toBuffer()));
                continue;
            }
            long status = first.toLong();
            if (status < 0) {
                results.add(status == WRONG_PERIOD_STATUS ? WRONG_PERIOD : null);
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

    /**
     * Reads the result of a request of several identifiers, whose numbers are packed: its status, and three for each window; or in
     * the short form, for a request that is admitted at the time of the reply, two of seven bytes for each window.
     */
    private static StoreResult[] jointResult(Group group, long clock, Buffer numbers) {
        var states = new StoreResult.WindowState[group.first.plan.size()];
        if (numbers.length() == 2 * SHORT_NUMBER_BYTES * states.length) {
            for (int j = 0; j < states.length; j++) {
                int position = 2 * SHORT_NUMBER_BYTES * j;
                states[j] = new StoreResult.WindowState(shortNumber(numbers, position),
                        shortNumber(numbers, position + SHORT_NUMBER_BYTES), 0);
            }
            return new StoreResult[]{new StoreResult(true, clock, states)};
        }
        long status = numbers.getLong(0);
        for (int j = 0; j < states.length; j++) {
            int position = Long.BYTES * (1 + 3 * j);
            states[j] = new StoreResult.WindowState(numbers.getLong(position), numbers.getLong(position + Long.BYTES),
                    numbers.getLong(position + 2 * Long.BYTES));
        }
        return new StoreResult[]{new StoreResult((status & 1) == 1, clock + (status >> 1), states)};
    }

    private static long shortNumber(Buffer numbers, int position) {
        return (long) numbers.getUnsignedMedium(position) << Integer.SIZE | numbers.getUnsignedInt(position + 3);
    }

    /** @param index of the windows' states in the reply, which are those after the last member */
    private static StoreResult[] results(Group group, int admitted, long now, Response reply, int index) {
        var plan = group.first.plan;
        var results = new StoreResult[group.size()];
        for (int i = 0; i < results.length; i++) {
            if (i > admitted) {
                results[i] = results[admitted]; // a denial changes nothing
                continue;
            }
            boolean granted = i < admitted;
            var states = new StoreResult.WindowState[plan.size()];
            for (int j = 0; j < states.length; j++) {
                long takenLater = granted && group.first.operation.consume() ? (admitted - 1L - i) * plan.get(j).cost() : 0;
                states[j] = new StoreResult.WindowState(reply.get(index + 3 * j).toLong() - takenLater,
                        reply.get(index + 3 * j + 1).toLong(),
                        granted ? 0 : reply.get(index + 3 * j + 2).toLong());
            }
            results[i] = new StoreResult(granted, now, states);
        }
        return results;
    }
}
