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
 * The instances that share a Redis, and the time there: what an instance remembers of both is what it goes by while Redis is
 * out of reach.
 */
public final class InstanceRegistry implements MicrosClock {

    /** An instance that was not heard for so long is gone. */
    static final Duration GONE = Duration.ofSeconds(5);

    /** An answer that took longer tells little of the time: it may have waited on either way. */
    private static final Duration PROMPT = Duration.ofMillis(20);

    /**
     * What Redis answered to an announcement.
     *
     * @param clock Redis's time
     * @param lostSince {@link #INTACT}, {@link #ALL}, or the time since which Redis has lost what was written
     * @param heard when each instance was last heard
     */
    record Answer(long clock, long lostSince, Map<String, Long> heard, List<ResetScope> resets) {
    }

    static final long INTACT = Long.MAX_VALUE;
    static final long ALL = 0;

    private record Time(long micros, long nanos) {
    }

    /** @param rank this instance's, from 0 */
    private record View(int size, int rank) {
    }

    private final String id = UUID.randomUUID().toString().substring(0, 13);
    private final String instances;
    private final String mark;
    private final String resets;
    private final LuaScript announce;
    private final LuaScript tell;
    private final int expected;
    private final Set<String> peers = new HashSet<>();
    private volatile View view;
    private volatile Time time;
    /** The last reset it has heard of. */
    private String heard = "";
    private long announced;
    private long acknowledged;
    private volatile long acknowledgedAt;

    /**
     * @param expected how many instances there are, for one that has never reached Redis
     * @param time how the script asks for it
     */
    public InstanceRegistry(HashTags keys, int expected, String time) {
        this.instances = keys.single("{fleet}:instances");
        this.mark = keys.single("{fleet}:mark:" + id);
        this.resets = keys.single("{fleet}:resets");
        this.announce = LuaScript.load(InstanceRegistry.class, "announce.lua", time);
        this.tell = LuaScript.load(ResetPoller.class, "tell.lua", time);
        this.expected = expected;
        this.view = new View(expected, expected - 1);
    }

    /** This instance's part of a limit: together they are the limit, but each is one at least. */
    public long share(long limit) {
        var now = view;
        return Math.max(1, limit / now.size() + (now.rank() < limit % now.size() ? 1 : 0));
    }

    /** How many there were when Redis was last reached, this one included. */
    public int size() {
        return view.size();
    }

    /** Redis's time, as it was last heard; the system's before that. */
    @Override
    public long micros() {
        var known = time;
        return known == null
                ? SYSTEM.micros()
                : known.micros() + TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - known.nanos());
    }

    /** When Redis last heard of this instance, by Redis's clock; 0 where it never did. */
    long acknowledgedAt() {
        return acknowledgedAt;
    }

    /** The others, as they were when Redis was last reached. */
    synchronized Set<String> peers() {
        return Set.copyOf(peers);
    }

    /** Looks what there is, and leaves it as it is. */
    Future<Answer> ask(RedisScriptConnection channel) {
        return announce(channel, 0, false);
    }

    /** Leaves this instance's mark: what was lost before is known here, and was lost once. */
    Future<Answer> mark(RedisScriptConnection channel) {
        return announce(channel, next(), false);
    }

    /** Tells the others that what was granted here is counted in Redis. */
    Future<Answer> announce(RedisScriptConnection channel) {
        return announce(channel, next(), true);
    }

    private synchronized long next() {
        return ++announced;
    }

    private Future<Answer> announce(RedisScriptConnection channel, long number, boolean present) {
        long sent = System.nanoTime();
        String since;
        synchronized (this) {
            since = heard;
        }
        return channel
                .eval(announce, List.of(instances, mark, resets),
                        List.of(id, Long.toString(number), since, present ? "1" : "0"))
                .onSuccess(channel::reportRepairs).map(answer -> read(answer, number, sent, since));
    }

    private synchronized Answer read(Response answer, long number, long sent, String since) {
        long now = System.nanoTime();
        long clock = answer.get(0).toLong();
        if (time == null || now - sent < PROMPT.toNanos() || now - time.nanos() > GONE.toNanos()) {
            time = new Time(clock, sent + (now - sent) / 2);
        }
        long lost = lostSince(answer.get(1).toString());
        if (number > 0) {
            acknowledged = Math.max(acknowledged, number);
            acknowledgedAt = clock;
        }
        var times = new HashMap<String, Long>();
        var members = answer.get(2);
        for (int i = 0; i < members.size(); i += 2) {
            times.put(members.get(i).toString(), members.get(i + 1).toLong());
        }
        return new Answer(clock, lost, times, resets(answer.get(3), since));
    }

    /** By the mark that this instance found: an older one than Redis has acknowledged, and what came after is lost. */
    private long lostSince(String found) {
        if (acknowledged == 0) {
            return INTACT;
        }
        int colon = found.indexOf(':');
        if (colon < 0) {
            return ALL;
        }
        return Long.parseLong(found.substring(0, colon)) < acknowledged
                ? Long.parseLong(found.substring(colon + 1))
                : INTACT;
    }

    private List<ResetScope> resets(Response entries, String since) {
        var told = new ArrayList<ResetScope>();
        for (var entry : entries) {
            heard = entry.get(0).toString();
            var fields = entry.get(1);
            if (!since.isEmpty() && !fields.get(1).toString().equals(id)) {
                var resource = fields.get(5).toString();
                told.add(new ResetScope(fields.get(3).toString(), resource.isEmpty() ? null : resource));
            }
        }
        if (heard.isEmpty()) {
            heard = "0-0";
        }
        return told;
    }

    /**
     * Learns who is there.
     *
     * @param complete whether all of them have had the time to be heard; otherwise those that were known stay known
     */
    synchronized void learn(Answer answer, boolean complete) {
        if (complete) {
            peers.clear();
        }
        peers.addAll(answer.heard().keySet());
        peers.remove(id);
        var all = new TreeSet<>(peers);
        all.add(id);
        view = new View(all.size(), all.headSet(id).size());
    }

    /** Tells all instances of a reset: they remember what Redis is to forget. */
    public Future<Void> tell(RedisScriptConnection channel, ResetScope reset) {
        var resource = reset.resource() == null ? "" : reset.resource();
        return channel.eval(tell, List.of(resets), List.of(id, reset.identifier(), resource))
                .onSuccess(channel::reportRepairs).mapEmpty();
    }

    /** This instance stops. */
    Future<Void> leave(RedisScriptConnection channel) {
        return Future.join(channel.send(Request.cmd(Command.ZREM).arg(instances).arg(id)),
                channel.send(Request.cmd(Command.DEL).arg(mark))).mapEmpty();
    }
}
