package dev.sluice.window;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisScript;
import io.vertx.core.Future;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/** Decisions that go to Redis in one call of the script, which makes them one after the other. */
final class Batch {

    /** So many go together: a script that runs for long keeps others waiting. */
    static final int MOST = 256;
    /** As many different plans: their numbers are bytes of a text. */
    private static final int MOST_PLANS = 64;
    private static final int FIRST_PLAN = 33;

    private final List<Asked> asked = new ArrayList<>();
    private final List<Plan.Question> questions = new ArrayList<>(2);
    private final StringBuilder codes = new StringBuilder();
    private final long sent;
    private int keys;
    private int reservations;

    /** @param sent when it is sent, in listened time */
    Batch(long sent) {
        this.sent = sent;
    }

    /** @return false where there is no room for it */
    boolean add(Asked next) {
        if (asked.size() == MOST) {
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
        asked.add(next);
        keys += next.keys.length;
        reservations += next.question.reserves() ? 1 : 0;
        return true;
    }

    List<Asked> asked() {
        return asked;
    }

    /** Returns when it was sent, in listened time. */
    long sent() {
        return sent;
    }

    boolean isEmpty() {
        return asked.isEmpty();
    }

    Future<Response> send(RedisChannel channel, RedisScript script) {
        var parts = new ArrayList<byte[]>(keys + reservations + 2 + 8 * questions.size());
        for (var one : asked) {
            for (var key : one.keys) {
                parts.add(key);
            }
        }
        parts.add(codes.toString().getBytes(StandardCharsets.ISO_8859_1));
        parts.add(Plan.bytes(Integer.toString(questions.size())));
        for (var question : questions) {
            parts.addAll(question.arguments());
        }
        if (reservations > 0) {
            for (var one : asked) {
                if (one.question.reserves()) {
                    parts.add(Plan.bytes(RedisKeys.reservationName(one.name)));
                }
            }
        }
        return channel.eval(script, keys, parts);
    }

    /** Redis's time in an answer to {@link #send}. */
    static long clock(Response answer) {
        return answer.get(0).toLong();
    }

    /**
     * Keys of which the script has deleted a foreign value: one of another type, or one that cannot be read.
     *
     * @param keys how many
     * @param first the name of the first one
     */
    record Repair(long keys, String first) {
    }

    /** Returns what a call of decide.lua, announce.lua, merge.lua or tell.lua has repaired; null in nearly all cases. */
    static Repair repaired(Response answer) {
        int size = answer.size();
        if (size < 3) {
            return null;
        }
        var last = answer.get(size - 1); // a number or an array, but for the name of a key
        var before = answer.get(size - 2);
        return last != null && last.type() == ResponseType.BULK && before != null && before.type() == ResponseType.NUMBER
                ? new Repair(before.toLong(), last.toString())
                : null;
    }

    /** What an answer says of each decision; null where a key holds a foreign value that Redis does not let it delete. */
    Outcome[] read(Response answer) {
        long clock = clock(answer);
        var outcomes = new Outcome[asked.size()];
        int at = 1;
        for (int i = 0; i < outcomes.length; i++) {
            long status = answer.get(at++).toLong();
            if (status < 0) {
                continue;
            }
            var states = new Outcome.State[asked.get(i).plan.size()];
            for (int j = 0; j < states.length; j++) {
                states[j] = new Outcome.State(answer.get(at).toLong(), answer.get(at + 1).toLong(),
                        answer.get(at + 2).toLong());
                at += 3;
            }
            outcomes[i] = new Outcome((status & 1) == 1, clock + (status >> 1), states);
        }
        return outcomes;
    }
}
