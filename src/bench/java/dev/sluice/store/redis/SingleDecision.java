package dev.sluice.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.store.WindowKeys;

/**
 * Script call with one decision on one window, or with one for each of several identifiers. The only class of the benchmark
 * that knows the keys and arguments of the script.
 */
public final class SingleDecision {

    /** Key of the time that the benchmark sets: a list of seconds and microseconds. */
    public static final String CONTROLLED_TIME = "bench:time";

    private static final String ADVANCING_TIME = "bench:advancing-time:";
    private static final WindowKeys KEYS = new WindowKeys(new HashTags("sluice"));
    private static final long MAX_EXACT_LIMIT = 10_000;

    private final LuaScript script;
    private final long limit;
    private final Duration window;

    private SingleDecision(LuaScript script, long limit, Duration window) {
        this.script = script;
        this.limit = limit;
        this.window = window;
    }

    public static SingleDecision of(long limit, Duration window) {
        return new SingleDecision(LuaScript.load(SingleDecision.class, "decide.lua"), limit, window);
    }

    /** Returns the same decision with a clock that the benchmark sets. */
    public SingleDecision withControlledTime() {
        var time = "redis.call('LRANGE', '" + CONTROLLED_TIME + "', 0, 1)";
        return new SingleDecision(LuaScript.load(SingleDecision.class, "decide.lua", time), limit, window);
    }

    /** Returns the same decision with its own clock, which starts at 0 and advances by the given microseconds per call. */
    public SingleDecision withAdvancingTime(int micros) {
        var time = "(function() local now = redis.call('INCRBY', '" + ADVANCING_TIME + limit + "', '" + micros + "') return"
                + " { string.format('%d', now / 1000000), now % 1000000 } end)()";
        return new SingleDecision(LuaScript.load(SingleDecision.class, "decide.lua", time), limit, window);
    }

    public String source() {
        return script.source();
    }

    /** Returns the arguments of the command. */
    public List<String> command(String identifier, long cost) {
        return command(List.of(identifier), cost);
    }

    /** Returns the arguments of a command that decides one request of each identifier, as an instance under load sends it. */
    public List<String> command(List<String> identifiers, long cost) {
        var name = WindowKeys.windowMember("bench", window.toSeconds());
        var arguments = new ArrayList<>(List.of("EVALSHA", script.sha1(), Integer.toString(2 * identifiers.size())));
        for (var identifier : identifiers) {
            arguments.add(KEYS.index(identifier));
            arguments.add(KEYS.window(identifier, name));
        }
        arguments.addAll(List.of("!".repeat(identifiers.size()), "", "1", "1000", "i", "1", "1", "0", Long.toString(limit),
                Long.toString(window.toSeconds() * 1_000_000), Long.toString(cost), limit <= MAX_EXACT_LIMIT ? "log" : "ring",
                name));
        return arguments;
    }
}
