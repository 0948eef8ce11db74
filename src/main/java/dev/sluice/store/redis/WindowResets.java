package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.WindowKeys;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Resets windows, in calls of bounded length: a long-running script delays decisions. */
final class WindowResets {

    private static final int SCAN_COUNT = 1000;
    /** Maximum number of windows, and of reservations, of one call. */
    private static final int BATCH_SIZE = 500;

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final WindowQueries queries;
    private final TimedCalls calls;
    private final LuaScript script;

    /** @param timeExpression the Lua expression with which the script reads the time */
    WindowResets(RedisConnectionManager manager, WindowKeys keys, WindowQueries queries, TimedCalls calls,
            String timeExpression) {
        this.manager = manager;
        this.keys = keys;
        this.queries = queries;
        this.calls = calls;
        this.script = LuaScript.load(WindowResets.class, "reset.lua", timeExpression);
    }

    /** @param resource null for all resources */
    Uni<Void> reset(String identifier, String resource) {
        return queries.overNames(identifier, name -> resetStored(name, resource).replaceWith(true)).replaceWithVoid();
    }

    private Uni<Void> resetStored(String identifier, String resource) {
        return calls.make(() -> queries.members(identifier)).chain(names -> {
            var windows = names.stream().filter(WindowKeys::isWindow)
                    .filter(name -> resource == null || WindowKeys.windowKey(name).resource().equals(resource)).toList();
            var reservations = names.stream().filter(name -> !WindowKeys.isWindow(name)).toList();
            return reset(identifier, windows, reservations, 0);
        });
    }

    /** Resets the windows in batches, each together with its part of every reservation. */
    private Uni<Void> reset(String identifier, List<String> windows, List<String> reservations, int from) {
        if (from >= windows.size()) {
            return Uni.createFrom().voidItem();
        }
        int to = Math.min(from + BATCH_SIZE, windows.size());
        var some = windows.subList(from, to);
        return reset(identifier, some, reservations).chain(() -> reset(identifier, windows, reservations, to));
    }

    private Uni<Void> reset(String identifier, List<String> windows, List<String> reservations) {
        var batches = new ArrayList<Uni<Void>>();
        int from = 0;
        do {
            int to = Math.min(from + BATCH_SIZE, reservations.size());
            var keyNames = keys.ofWindows(identifier, windows);
            reservations.subList(from, to).forEach(name -> keyNames.add(keys.reservation(identifier, name)));
            batches.add(calls.make(() -> manager.eval(script, keyNames, windows).<Void>mapEmpty()));
            from = to;
        } while (from < reservations.size());
        return Uni.join().all(batches).usingConcurrencyOf(1).andFailFast().replaceWithVoid();
    }

    Uni<Void> resetAll() {
        return calls.make(() -> manager.connection().map(RedisScriptConnection::servers)).chain(servers -> Uni.join()
                .all(servers.stream().map(server -> resetFrom(server, "0")).toList()).andFailFast().replaceWithVoid());
    }

    /** Deletes all windows of one server, page by page; each page has its own timeout. */
    private Uni<Void> resetFrom(Function<Request, Future<Response>> server, String cursor) {
        var scan = Request.cmd(Command.SCAN).arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(SCAN_COUNT);
        return calls.make(() -> server.apply(scan).compose(page -> {
            var found = page.get(1).stream().map(key -> manager.send(Request.cmd(Command.UNLINK).arg(key.toString()))).toList();
            return Future.all(found).map(removed -> page.get(0).toString());
        })).chain(next -> "0".equals(next) ? Uni.createFrom().voidItem() : resetFrom(server, next));
    }
}
