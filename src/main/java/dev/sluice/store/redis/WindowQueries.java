package dev.sluice.store.redis;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

import dev.sluice.api.WindowUsage;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.WindowKey;
import dev.sluice.store.WindowKeys;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Queries of the usage of windows. On a Redis Cluster an identifier may have windows under several names, one per root of its
 * chains; their usage is added.
 */
final class WindowQueries {

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final ChainRoots roots;
    private final BooleanSupplier sharded;
    private final TimedCalls calls;
    private final LuaScript usageScript;

    /**
     * @param sharded returns whether Redis is a cluster
     * @param timeExpression the Lua expression with which the script reads the time
     */
    WindowQueries(RedisConnectionManager manager, WindowKeys keys, ChainRoots roots, BooleanSupplier sharded, TimedCalls calls,
            String timeExpression) {
        this.manager = manager;
        this.keys = keys;
        this.roots = roots;
        this.sharded = sharded;
        this.calls = calls;
        this.usageScript = LuaScript.load(WindowQueries.class, "usage.lua", timeExpression);
    }

    /** Returns the names under which the windows of an identifier are stored. */
    Uni<List<String>> storedNames(String identifier) {
        return sharded.getAsBoolean()
                ? calls.make(() -> roots.names(identifier))
                : Uni.createFrom().item(List.of(identifier));
    }

    /** Makes a query for each name under which the windows of an identifier are stored. */
    <T> Uni<List<T>> overNames(String identifier, Function<String, Uni<T>> query) {
        return storedNames(identifier).chain(names -> names.size() == 1
                ? query.apply(names.get(0)).map(List::of)
                : Uni.join().all(names.stream().map(query).toList()).andFailFast());
    }

    Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return overNames(identifier, name -> storedUsage(name, resource, window)).map(all -> {
            var last = all.get(all.size() - 1);
            return new WindowUsage(identifier, resource, all.stream().mapToLong(WindowUsage::used).sum(), window, last.end());
        });
    }

    private Uni<WindowUsage> storedUsage(String identifier, String resource, Duration window) {
        var name = WindowKeys.windowMember(resource, window.toSeconds());
        return calls.make(() -> count(identifier, List.of(name)).map(reply -> new WindowUsage(identifier, resource,
                reply.get(1).toLong(), window, MicrosClock.instant(reply.get(0).toLong()))));
    }

    Uni<WindowUsage> usage(String identifier, String resource, CalendarWindow period) {
        var name = WindowKeys.windowMember(new WindowKey(resource, period.span(), period.start()));
        return calls.make(() -> count(identifier, List.of(name))).chain(reply -> {
            var current = period.at(reply.get(0).toLong());
            return current == period
                    ? Uni.createFrom().item(period.usage(identifier, resource, reply.get(1).toLong()))
                    : usage(identifier, resource, current); // by Redis's clock, another period is the current one
        });
    }

    /** Returns the used units of all windows of an identifier that have some. */
    Uni<Map<WindowKey, Long>> windows(String identifier) {
        return overNames(identifier, this::storedWindows).map(all -> {
            var sums = new HashMap<WindowKey, Long>();
            all.forEach(windows -> windows.forEach((window, used) -> sums.merge(window, used, Long::sum)));
            return sums;
        });
    }

    private Uni<Map<WindowKey, Long>> storedWindows(String identifier) {
        return calls.make(() -> members(identifier).map(names -> names.stream().filter(WindowKeys::isWindow).toList())
                .compose(windows -> windows.isEmpty()
                        ? Future.succeededFuture(Map.<WindowKey, Long>of())
                        : count(identifier, windows).map(counts -> used(windows, counts))));
    }

    /** Returns the names of windows and reservations in the index of an identifier. */
    Future<List<String>> members(String identifier) {
        return manager.send(Request.cmd(Command.ZRANGE).arg(keys.index(identifier)).arg(0).arg(-1))
                .map(members -> members.stream().map(Response::toString).filter(WindowKeys::isMember).toList())
                .recover(failure -> RedisScriptConnection.isKeySpecific(failure)
                        ? Future.succeededFuture(List.of()) // a foreign value, which the next decision deletes
                        : Future.failedFuture(failure));
    }

    private Future<Response> count(String identifier, List<String> names) {
        return manager.eval(usageScript, names.stream().map(name -> keys.window(identifier, name)).toList(),
                names.stream().map(name -> WindowKeys.windowKey(name).length()).toList());
    }

    private static Map<WindowKey, Long> used(List<String> names, Response counts) {
        var windows = new HashMap<WindowKey, Long>();
        for (int i = 0; i < names.size(); i++) {
            long used = counts.get(i + 1).toLong();
            if (used > 0) {
                windows.put(WindowKeys.windowKey(names.get(i)), used);
            }
        }
        return windows;
    }
}
