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
    static final int MOST = 256;
    private static final int SLOTS = 64;
    /** So many requests are one group. */
    static final int MOST_EACH = 1000;
    /** As many different plans: their numbers are bytes of a text. */
    private static final int MOST_PLANS = 64;
    private static final int FIRST_PLAN = 33;

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

        private boolean takes(PendingDecision next) {
            return next.question == first.question && next.identifier.equals(first.identifier) && !first.question.reserves()
                    && size() < MOST_EACH;
        }

        private void add(PendingDecision next) {
            if (others == null) {
                others = new ArrayList<>();
            }
            others.add(next);
        }
    }

    private final List<Group> groups = new ArrayList<>();
    /**
     * By the hash of its identifier, the last group of one identifier each. A group that was replaced by another identifier's takes
     * no more requests: they begin a new one behind it.
     */
    private final Group[] last = new Group[SLOTS];
    private final List<ClaimPlan.Question> questions = new ArrayList<>(2);
    private final StringBuilder codes = new StringBuilder();
    private final long sent;
    private int keys;
    private int reservations;
    private int requests;

    /** @param sent when it is sent, in listened time */
    DecisionBatch(long sent) {
        this.sent = sent;
    }

    /** @return false where there is no room for it */
    boolean add(PendingDecision next) {
        int slot = next.identifier.hashCode() & SLOTS - 1;
        var group = last[slot];
        if (group != null && group.takes(next)) {
            group.add(next);
            requests++;
            return true;
        }
        if (groups.size() == MOST) {
            return false;
        }
        int plan = questions.indexOf(next.question);
        if (plan < 0) {
            if (questions.size() == MOST_PLANS) {
                return false;
            }
            plan = questions.size();
            questions.add(next.question);
        }
        codes.append((char) (FIRST_PLAN + plan));
        group = new Group(next);
        groups.add(group);
        last[slot] = group;
        requests++;
        keys += next.keys.length;
        reservations += next.question.reserves() ? 1 : 0;
        return true;
    }

    List<Group> groups() {
        return groups;
    }

    /** Returns how many requests there are. */
    int requests() {
        return requests;
    }

    /** Returns when it was sent, in listened time. */
    long sent() {
        return sent;
    }

    boolean isEmpty() {
        return groups.isEmpty();
    }

    Future<Response> send(RedisScriptConnection channel, LuaScript script) {
        var parts = new ArrayList<byte[]>(keys + reservations + 3 + 8 * questions.size());
        for (var group : groups) {
            for (var key : group.first.keys) {
                parts.add(key);
            }
        }
        parts.add(codes.toString().getBytes(StandardCharsets.ISO_8859_1));
        parts.add(sizes());
        parts.add(ClaimPlan.bytes(Integer.toString(questions.size())));
        for (var question : questions) {
            parts.addAll(question.arguments());
        }
        if (reservations > 0) {
            for (var group : groups) {
                if (group.first.question.reserves()) {
                    parts.add(ClaimPlan.bytes(WindowKeys.reservationName(group.first.name)));
                }
            }
        }
        return channel.eval(script, keys, parts);
    }

    /** Two bytes per group, the higher one first; nothing where each is of one. */
    private byte[] sizes() {
        if (requests == groups.size()) {
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
    static long clock(Response answer) {
        return answer.get(0).toLong();
    }

    /**
     * Reads what a response says of each group: the outcomes of its members, in order; null where a key holds something else
     * that could not be deleted.
     */
    List<StoreResult[]> read(Response answer) {
        long clock = clock(answer);
        var outcomes = new ArrayList<StoreResult[]>(groups.size());
        int at = 1;
        for (var group : groups) {
            long status = answer.get(at++).toLong();
            if (status < 0) {
                outcomes.add(null);
                continue;
            }
            int size = group.size();
            int admitted = (int) (status & 1);
            if (size > 1) {
                admitted = answer.get(at++).toInteger();
            }
            int windows = group.first.plan.size();
            outcomes.add(outcomes(group, admitted, clock + (status >> 1), answer, at));
            at += 3 * windows;
        }
        return outcomes;
    }

    /** @param at where the windows' states stand, as they are after the last member */
    private static StoreResult[] outcomes(Group group, int admitted, long now, Response answer, int at) {
        var plan = group.first.plan;
        var outcomes = new StoreResult[group.size()];
        for (int i = 0; i < outcomes.length; i++) {
            if (i > admitted) {
                outcomes[i] = outcomes[admitted]; // a refusal changes nothing
                continue;
            }
            boolean passes = i < admitted;
            var states = new StoreResult.State[plan.size()];
            for (int j = 0; j < states.length; j++) {
                long later = passes && group.first.question.take() ? (admitted - 1L - i) * plan.get(j).cost() : 0;
                states[j] = new StoreResult.State(answer.get(at + 3 * j).toLong() - later, answer.get(at + 3 * j + 1).toLong(),
                        passes ? 0 : answer.get(at + 3 * j + 2).toLong());
            }
            outcomes[i] = new StoreResult(passes, now, states);
        }
        return outcomes;
    }
}
