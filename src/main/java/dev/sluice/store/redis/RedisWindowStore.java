package dev.sluice.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.api.WindowUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.WindowStore;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Windows in Redis: decided by a script, on Redis's own clock. */
public final class RedisWindowStore implements WindowStore {

    private static final int SCAN_COUNT = 1000;
    /** So many windows are reset by one call: a script that runs for long keeps decisions waiting. */
    private static final int RESET_TOGETHER = 500;
    /** The least that reading and resetting wait for a response: no request waits for them. */
    private static final long LEAST_ADMIN_MILLIS = 2000;
    private final RedisConnectionManager link;
    private final WindowKeys keys;
    private final long exactUpTo;
    private final long adminMillis;
    private final LuaScript settle;
    private final LuaScript usage;
    private final LuaScript reset;
    private final LuaScript refund;
    private final HashTags keySpace;
    private final RedisClock time = new RedisClock();
    private final ScriptDispatcher lanes;

    /** @param time how the scripts ask for it */
    public RedisWindowStore(RedisConnectionManager link, HashTags keys, long exactUpTo, Duration timeout,
            GrantRecorder recorder, String time) {
        this.link = link;
        this.keySpace = keys;
        this.keys = new WindowKeys(keys);
        this.exactUpTo = exactUpTo;
        this.adminMillis = Math.max(LEAST_ADMIN_MILLIS, timeout.toMillis());
        var decide = LuaScript.load(RedisWindowStore.class, "decide.lua", time);
        link.preload(decide);
        this.lanes = new ScriptDispatcher(link, keys, decide, timeout.toNanos(), recorder, this.time);
        this.settle = LuaScript.load(RedisWindowStore.class, "settle.lua", time);
        this.usage = LuaScript.load(RedisWindowStore.class, "usage.lua", time);
        this.reset = LuaScript.load(RedisWindowStore.class, "reset.lua", time);
        this.refund = LuaScript.load(RedisWindowStore.class, "refund.lua", time);
    }

    public boolean available() {
        return link.up();
    }

    @Override
    public Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var plan = ClaimPlan.of(claims);
        return ResultCallback.uni(receiver -> take(identifier, plan, consume, reservation, receiver));
    }

    /** The same for who waits in another way. */
    public void take(String identifier, ClaimPlan plan, boolean consume, String reservation,
            ResultCallback<StoreResult> receiver) {
        boolean reserves = consume && reservation != null;
        var name = reserves ? WindowKeys.reservationName(reservation) : null;
        lanes.ask(new PendingDecision(identifier, plan, plan.question(consume, reserves, exactUpTo), reservation,
                plan.keys(keySpace, identifier, name), receiver));
    }

    /** The index first, then the windows. */
    private List<String> keysOf(String identifier, List<String> names) {
        var windows = new ArrayList<String>(names.size() + 2);
        windows.add(keys.index(identifier));
        names.forEach(name -> windows.add(keys.window(identifier, name)));
        return windows;
    }

    /** May be called again where it failed: the script settles once. */
    @Override
    public Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used) {
        var name = WindowKeys.reservationName(reservation.name());
        var names = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        arguments.add(name);
        used.forEach((resource, units) -> reservation.seconds().forEach(seconds -> {
            names.add(WindowKeys.name(resource, seconds));
            arguments.add(WindowKeys.name(resource, seconds));
            arguments.add(Long.toString(units));
        }));
        var involved = keysOf(identifier, names);
        involved.add(keys.reservation(identifier, name));
        return bounded(() -> link.eval(settle, involved, arguments), answer -> null);
    }

    /**
     * Gives back what a decision took that came too late.
     *
     * @param time when it was made, in microseconds by Redis's clock
     * @param reservation its name; null where there is none
     */
    public Uni<Void> refund(String identifier, List<WindowClaim> claims, long time, String reservation) {
        var names = new ArrayList<String>(claims.size());
        var arguments = new ArrayList<String>(2 + 2 * claims.size());
        var name = reservation == null ? "" : WindowKeys.reservationName(reservation);
        arguments.add(Long.toString(time));
        arguments.add(name);
        for (var claim : claims) {
            names.add(WindowKeys.name(claim.resource(), claim.span() / 1_000_000));
            arguments.add(Long.toString(claim.span()));
            arguments.add(Long.toString(claim.cost()));
        }
        var involved = keysOf(identifier, names);
        if (reservation != null) {
            involved.add(keys.reservation(identifier, name));
        }
        return bounded(() -> link.eval(refund, involved, arguments), answer -> null);
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        var name = WindowKeys.name(resource, window.toSeconds());
        return bounded(() -> count(identifier, List.of(name)), answer -> new WindowUsage(identifier, resource,
                answer.get(1).toLong(), window, MicrosClock.instant(answer.get(0).toLong())));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return bounded(() -> names(identifier).map(names -> names.stream().filter(WindowKeys::isWindow).toList())
                .compose(windows -> windows.isEmpty()
                        ? Future.succeededFuture(Map.<String, Long>of())
                        : count(identifier, windows).map(counts -> longest(windows, counts))),
                Function.identity());
    }

    private Future<List<String>> names(String identifier) {
        return link.send(Request.cmd(Command.ZRANGE).arg(keys.index(identifier)).arg(0).arg(-1))
                .map(names -> names.stream().map(Response::toString).filter(WindowKeys::isName).toList())
                .recover(failure -> RedisScriptConnection.concernsItsKeysOnly(failure)
                        ? Future.succeededFuture(List.of()) // a foreign value, which the next decision deletes
                        : Future.failedFuture(failure));
    }

    private Future<Response> count(String identifier, List<String> names) {
        return link.eval(usage, names.stream().map(name -> keys.window(identifier, name)).toList(),
                names.stream().map(name -> Long.toString(WindowKeys.seconds(name) * 1_000_000)).toList());
    }

    private static Map<String, Long> longest(List<String> names, Response counts) {
        var seconds = new HashMap<String, Long>();
        var longest = new HashMap<String, Long>();
        for (int i = 0; i < names.size(); i++) {
            var resource = WindowKeys.resource(names.get(i));
            long length = WindowKeys.seconds(names.get(i));
            long used = counts.get(i + 1).toLong();
            if (used > 0 && length > seconds.getOrDefault(resource, 0L)) {
                seconds.put(resource, length);
                longest.put(resource, used);
            }
        }
        return longest;
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return bounded(() -> names(identifier), Function.<List<String>>identity()).chain(names -> {
            var windows = names.stream().filter(WindowKeys::isWindow)
                    .filter(name -> resource == null || WindowKeys.resource(name).equals(resource)).toList();
            var reservations = names.stream().filter(name -> !WindowKeys.isWindow(name)).toList();
            return reset(identifier, windows, reservations, 0);
        });
    }

    /** Some windows at a time, each of them with what every reservation has taken of it. */
    private Uni<Void> reset(String identifier, List<String> windows, List<String> reservations, int from) {
        if (from >= windows.size()) {
            return Uni.createFrom().voidItem();
        }
        int to = Math.min(from + RESET_TOGETHER, windows.size());
        var some = windows.subList(from, to);
        return reset(identifier, some, reservations).chain(() -> reset(identifier, windows, reservations, to));
    }

    private Uni<Void> reset(String identifier, List<String> windows, List<String> reservations) {
        var calls = new ArrayList<Uni<Void>>();
        int from = 0;
        do {
            int to = Math.min(from + RESET_TOGETHER, reservations.size());
            var involved = keysOf(identifier, windows);
            reservations.subList(from, to).forEach(name -> involved.add(keys.reservation(identifier, name)));
            calls.add(bounded(() -> link.eval(reset, involved, windows).<Void>mapEmpty(), Function.identity()));
            from = to;
        } while (from < reservations.size());
        return Uni.join().all(calls).usingConcurrencyOf(1).andFailFast().replaceWithVoid();
    }

    @Override
    public Uni<Void> resetAll() {
        return bounded(link::channel, RedisScriptConnection::servers).chain(servers -> Uni.join()
                .all(servers.stream().map(server -> resetFrom(server, "0")).toList()).andFailFast().replaceWithVoid());
    }

    /** Tells the other instances of something. */
    public Uni<Void> tell(Function<RedisScriptConnection, Future<Void>> telling) {
        return bounded(() -> link.channel().compose(telling), Function.identity());
    }

    /** Lets time pass. */
    public Uni<Void> pause(long nanos) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
            link.vertx().setTimer(TimeUnit.NANOSECONDS.toMillis(nanos) + 1,
                    over -> finish(Future.<Void>succeededFuture(), context, emitter));
        });
    }

    /** Whether there is one Redis, with one clock: the masters of a cluster have one each. */
    public boolean oneClock() {
        return lanes.single();
    }

    /** Redis's clock. */
    public RedisClock time() {
        return time;
    }

    /** Listens for what concerns these. */
    public ResetPoller hearing(DenialCache refusals) {
        return new ResetPoller(link, keySpace, time, refusals, LuaScript.SERVER_TIME);
    }

    /** Page by page, each of which is bounded in time. */
    private Uni<Void> resetFrom(Function<Request, Future<Response>> server, String cursor) {
        var scan = Request.cmd(Command.SCAN).arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(SCAN_COUNT);
        return bounded(() -> server.apply(scan).compose(page -> {
            var found = page.get(1).stream().map(key -> link.send(Request.cmd(Command.UNLINK).arg(key.toString()))).toList();
            return Future.all(found).map(removed -> page.get(0).toString());
        }), Function.<String>identity())
                .chain(next -> "0".equals(next) ? Uni.createFrom().voidItem() : resetFrom(server, next));
    }

    /** Asks once per subscription, waits no longer than the timeout, and answers on the caller's event loop. */
    private <A, T> Uni<T> bounded(Supplier<Future<A>> call, Function<A, T> reading) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
            link.within(adminMillis, call.get().map(reading)).onComplete(done -> finish(done, context, emitter));
        });
    }

    private static <T> void finish(AsyncResult<T> done, Context context, UniEmitter<? super T> emitter) {
        if (context == null) {
            finish(done, emitter);
        } else {
            context.runOnContext(now -> finish(done, emitter));
        }
    }

    private static <T> void finish(AsyncResult<T> done, UniEmitter<? super T> emitter) {
        if (done.succeeded()) {
            emitter.complete(done.result());
        } else {
            emitter.fail(done.cause() instanceof StoreUnavailableException
                    ? done.cause()
                    : new StoreUnavailableException("Redis answered with an error", done.cause()));
        }
    }
}
