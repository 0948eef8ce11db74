package dev.sluice.window;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.limit.Usage;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
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
final class RedisStore implements WindowStore {

    private static final int SCAN_COUNT = 1000;
    /** So many windows are reset by one call: a script that runs for long keeps decisions waiting. */
    private static final int RESET_TOGETHER = 500;
    /** The least that reading and resetting wait for a response: no request waits for them. */
    private static final long LEAST_ADMIN_MILLIS = 2000;
    private final RedisLink link;
    private final RedisKeys keys;
    private final long exactUpTo;
    private final long adminMillis;
    private final RedisScript settle;
    private final RedisScript usage;
    private final RedisScript reset;
    private final RedisScript refund;
    private final KeySpace keySpace;
    private final RedisTime time = new RedisTime();
    private final Lanes lanes;

    /** @param time how the scripts ask for it */
    RedisStore(RedisLink link, KeySpace keys, long exactUpTo, Duration timeout, GrantRecorder recorder, String time) {
        this.link = link;
        this.keySpace = keys;
        this.keys = new RedisKeys(keys);
        this.exactUpTo = exactUpTo;
        this.adminMillis = Math.max(LEAST_ADMIN_MILLIS, timeout.toMillis());
        var decide = RedisScript.load(RedisStore.class, "decide.lua", time);
        link.preload(decide);
        this.lanes = new Lanes(link, keys, decide, timeout.toNanos(), recorder, this.time);
        this.settle = RedisScript.load(RedisStore.class, "settle.lua", time);
        this.usage = RedisScript.load(RedisStore.class, "usage.lua", time);
        this.reset = RedisScript.load(RedisStore.class, "reset.lua", time);
        this.refund = RedisScript.load(RedisStore.class, "refund.lua", time);
    }

    boolean available() {
        return link.up();
    }

    @Override
    public Uni<Outcome> take(String identifier, List<Claim> claims, boolean consume, String reservation) {
        var plan = Plan.of(claims);
        return Receiver.uni(receiver -> take(identifier, plan, consume, reservation, receiver));
    }

    /** The same for who waits in another way. */
    void take(String identifier, Plan plan, boolean consume, String reservation, Receiver<Outcome> receiver) {
        boolean reserves = consume && reservation != null;
        var name = reserves ? RedisKeys.reservationName(reservation) : null;
        lanes.ask(new Asked(identifier, plan, plan.question(consume, reserves, exactUpTo), reservation,
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
    public Uni<Void> settle(String identifier, Reservation reservation, Map<String, Long> used) {
        var name = RedisKeys.reservationName(reservation.name());
        var names = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        arguments.add(name);
        used.forEach((resource, units) -> reservation.seconds().forEach(seconds -> {
            names.add(RedisKeys.name(resource, seconds));
            arguments.add(RedisKeys.name(resource, seconds));
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
    Uni<Void> refund(String identifier, List<Claim> claims, long time, String reservation) {
        var names = new ArrayList<String>(claims.size());
        var arguments = new ArrayList<String>(2 + 2 * claims.size());
        var name = reservation == null ? "" : RedisKeys.reservationName(reservation);
        arguments.add(Long.toString(time));
        arguments.add(name);
        for (var claim : claims) {
            names.add(RedisKeys.name(claim.resource(), claim.span() / 1_000_000));
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
    public Uni<Usage> usage(String identifier, String resource, Duration window) {
        var name = RedisKeys.name(resource, window.toSeconds());
        return bounded(() -> count(identifier, List.of(name)), answer -> new Usage(identifier, resource,
                answer.get(1).toLong(), window, Clock.instant(answer.get(0).toLong())));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return bounded(() -> names(identifier).map(names -> names.stream().filter(RedisKeys::isWindow).toList())
                .compose(windows -> windows.isEmpty()
                        ? Future.succeededFuture(Map.<String, Long>of())
                        : count(identifier, windows).map(counts -> longest(windows, counts))),
                Function.identity());
    }

    private Future<List<String>> names(String identifier) {
        return link.send(Request.cmd(Command.ZRANGE).arg(keys.index(identifier)).arg(0).arg(-1))
                .map(names -> names.stream().map(Response::toString).filter(RedisKeys::isName).toList())
                .recover(failure -> RedisChannel.concernsItsKeysOnly(failure)
                        ? Future.succeededFuture(List.of()) // a foreign value, which the next decision deletes
                        : Future.failedFuture(failure));
    }

    private Future<Response> count(String identifier, List<String> names) {
        return link.eval(usage, names.stream().map(name -> keys.window(identifier, name)).toList(),
                names.stream().map(name -> Long.toString(RedisKeys.seconds(name) * 1_000_000)).toList());
    }

    private static Map<String, Long> longest(List<String> names, Response counts) {
        var seconds = new HashMap<String, Long>();
        var longest = new HashMap<String, Long>();
        for (int i = 0; i < names.size(); i++) {
            var resource = RedisKeys.resource(names.get(i));
            long length = RedisKeys.seconds(names.get(i));
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
            var windows = names.stream().filter(RedisKeys::isWindow)
                    .filter(name -> resource == null || RedisKeys.resource(name).equals(resource)).toList();
            var reservations = names.stream().filter(name -> !RedisKeys.isWindow(name)).toList();
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
        return bounded(link::channel, RedisChannel::servers).chain(servers -> Uni.join()
                .all(servers.stream().map(server -> resetFrom(server, "0")).toList()).andFailFast().replaceWithVoid());
    }

    /** Tells the other instances of something. */
    Uni<Void> tell(Function<RedisChannel, Future<Void>> telling) {
        return bounded(() -> link.channel().compose(telling), Function.identity());
    }

    /** Lets time pass. */
    Uni<Void> pause(long nanos) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
            link.vertx().setTimer(TimeUnit.NANOSECONDS.toMillis(nanos) + 1,
                    over -> finish(Future.<Void>succeededFuture(), context, emitter));
        });
    }

    /** Whether there is one Redis, with one clock: the masters of a cluster have one each. */
    boolean oneClock() {
        return lanes.single();
    }

    /** Redis's clock. */
    RedisTime time() {
        return time;
    }

    /** Listens for what concerns these. */
    Hearing hearing(Refusals refusals) {
        return new Hearing(link, keySpace, time, refusals, RedisScript.SERVER_TIME);
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
