package dev.sluice.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.api.WindowUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.WindowStore;
import dev.sluice.store.concurrency.HeldSlots;
import dev.sluice.store.concurrency.LeaseToken;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Window store in Redis. A Lua script makes the decisions atomically, by Redis's clock. */
public final class RedisWindowStore implements WindowStore {

    private static final int SCAN_COUNT = 1000;
    /** Maximum number of windows reset by one call: a long-running script delays decisions. */
    private static final int RESET_BATCH_SIZE = 500;
    /** Minimum timeout of queries and resets, which no rate-limited request waits for. */
    private static final long MIN_ADMIN_TIMEOUT_MILLIS = 2000;
    /** Characters of the name of an instance. */
    private static final int INSTANCE_LENGTH = 13;

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final long exactUpTo;
    private final long adminTimeoutMillis;
    private final LuaScript settleScript;
    private final LuaScript usageScript;
    private final LuaScript resetScript;
    private final LuaScript refundScript;
    private final HashTags hashTags;
    private final RedisClock clock = new RedisClock();
    private final ScriptDispatcher dispatcher;
    private final HeldSlots held;
    private final SlotSync slots;
    private final RedisLeases leases;
    private final ChainRoots roots;

    /**
     * @param maxWindows maximum number of windows per identifier
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    public RedisWindowStore(RedisConnectionManager manager, HashTags hashTags, long exactUpTo, int maxWindows, Duration timeout,
            GrantRecorder recorder, String timeExpression) {
        this(manager, hashTags, exactUpTo, maxWindows, timeout, recorder, new HeldSlots(), timeExpression);
    }

    /**
     * @param maxWindows maximum number of windows per identifier
     * @param held slots of requests in flight that this instance holds
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    public RedisWindowStore(RedisConnectionManager manager, HashTags hashTags, long exactUpTo, int maxWindows, Duration timeout,
            GrantRecorder recorder, HeldSlots held, String timeExpression) {
        this.manager = manager;
        this.hashTags = hashTags;
        this.keys = new WindowKeys(hashTags);
        this.exactUpTo = exactUpTo;
        this.adminTimeoutMillis = Math.max(MIN_ADMIN_TIMEOUT_MILLIS, timeout.toMillis());
        this.held = held;
        var instance = UUID.randomUUID().toString().substring(0, INSTANCE_LENGTH);
        var decide = DecisionScript.load(timeExpression, maxWindows, instance);
        manager.preload(decide.lua());
        this.roots = new ChainRoots(manager, hashTags);
        this.dispatcher = new ScriptDispatcher(manager, hashTags, decide, timeout.toNanos(), recorder, this.clock,
                this::sendSlots);
        this.leases = new RedisLeases(manager, hashTags, timeExpression);
        this.slots = new SlotSync(manager, hashTags, held, instance, dispatcher::isSharded, timeExpression);
        this.settleScript = LuaScript.load(RedisWindowStore.class, "settle.lua", timeExpression);
        manager.preload(settleScript); // a settlement precedes the next decision of the client in Redis, also the first one
        this.usageScript = LuaScript.load(RedisWindowStore.class, "usage.lua", timeExpression);
        this.resetScript = LuaScript.load(RedisWindowStore.class, "reset.lua", timeExpression);
        this.refundScript = LuaScript.load(RedisWindowStore.class, "refund.lua", timeExpression);
    }

    /** Returns whether the circuit is closed. */
    public boolean available() {
        return manager.isUp();
    }

    @Override
    public Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var plan = ClaimPlan.of(claims);
        return ResultCallback.toUni(callback -> take(identifier, plan, consume, reservation, callback));
    }

    /** Callback variant of {@link #take(String, List, boolean, String)}. */
    public void take(String identifier, ClaimPlan plan, boolean consume, String reservation,
            ResultCallback<StoreResult> callback) {
        if (isSharded()) {
            roots.note(identifier);
        }
        boolean reserves = consume && reservation != null;
        var member = reserves ? WindowKeys.reservationMember(reservation) : null;
        dispatcher.dispatch(new PendingDecision(identifier, plan, plan.operation(consume, reserves, exactUpTo), reservation,
                plan.keys(hashTags, identifier, member),
                consume && plan.hasConcurrency() ? PendingSlots.of(held, identifier, plan) : null, callback));
    }

    /**
     * Decides on windows of several identifiers in one call of the script.
     *
     * @param reservation id of the reservation for the reserved claims; null if there are none
     */
    public void take(JointRequest request, boolean consume, String reservation, ResultCallback<StoreResult> callback) {
        if (isSharded()) {
            request.identifiers().forEach(roots::note);
        }
        var plan = request.plan();
        boolean reserves = consume && reservation != null;
        var member = reserves ? WindowKeys.reservationMember(reservation) : null;
        dispatcher.dispatch(new PendingDecision(request, plan.operation(consume, reserves, exactUpTo), reservation,
                plan.keys(hashTags, request.identifiers(), member),
                consume && plan.claims().hasConcurrency() ? PendingSlots.of(held, request) : null, callback));
    }

    private void sendSlots(RedisScriptConnection connection) {
        slots.sendChanges(connection);
    }

    /** Sends the counts of all slots of requests in flight over a connection that is not used for decisions yet. */
    public Future<Void> sendAllSlots(RedisScriptConnection connection) {
        return slots.sendAll(connection);
    }

    /**
     * Takes a lease of a slot. One that may have been taken, although the call fails, is freed as soon as Redis is available.
     *
     * @param limit maximum number of slots
     */
    public Uni<LeaseState> takeLease(LeaseToken lease, long limit) {
        return Uni.createFrom().deferred(() -> {
            boolean sent = manager.isUp();
            return withTimeout(() -> leases.take(lease, limit), Function.<LeaseState>identity()).onFailure().invoke(() -> {
                if (sent) {
                    leases.abandon(lease);
                }
            });
        });
    }

    /** Returns the resources of an identifier that have, or had, leases. */
    public Uni<List<String>> leasedResources(String identifier) {
        return withTimeout(() -> leases.resources(identifier), Function.identity());
    }

    /** Frees all leases of a resource. */
    public Uni<Void> freeLeases(String identifier, String resource) {
        return withTimeout(() -> leases.freeAll(identifier, resource), Function.identity());
    }

    /** Frees a lease of which the client has not been told, as soon as Redis is available. */
    public void abandonLease(LeaseToken lease) {
        leases.abandon(lease);
    }

    /** Renews a lease that is held. */
    public Uni<LeaseState> renewLease(LeaseToken lease, long seconds) {
        return withTimeout(() -> leases.renew(lease, seconds), Function.identity());
    }

    /** Frees a lease that is held. */
    public Uni<LeaseState> freeLease(LeaseToken lease) {
        return withTimeout(() -> leases.free(lease), Function.identity());
    }

    /** Removes the slots that this instance holds from Redis, at its end. */
    public Future<Void> clearSlots() {
        return slots.clear();
    }

    /** Returns the keys of the index, followed by those of the windows. */
    private List<String> keysOf(String identifier, List<String> members) {
        var windows = new ArrayList<String>(members.size() + 2);
        windows.add(keys.index(identifier));
        members.forEach(member -> windows.add(keys.window(identifier, member)));
        return windows;
    }

    /** Idempotent: may be retried after a failure. */
    @Override
    public Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used) {
        var name = WindowKeys.reservationMember(reservation.id());
        var names = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        arguments.add(name);
        used.forEach((resource, units) -> reservation.windows(resource).forEach(window -> {
            names.add(WindowKeys.windowMember(window));
            arguments.add(WindowKeys.windowMember(window));
            arguments.add(Long.toString(units));
        }));
        var keyNames = keysOf(identifier, names);
        keyNames.add(keys.reservation(identifier, name));
        return withTimeout(() -> manager.eval(settleScript, keyNames, arguments), reply -> null);
    }

    /**
     * Refunds the units of a decision whose reply was late. Slots of requests in flight are not refunded, but released.
     *
     * @param decidedAt time of the decision, in microseconds by Redis's clock
     * @param reservation id of the reservation; null if there is none
     */
    public Uni<Void> refund(String identifier, List<WindowClaim> taken, long decidedAt, String reservation) {
        var claims = WindowClaim.ofWindows(taken);
        var names = new ArrayList<String>(claims.size());
        var arguments = new ArrayList<String>(2 + 2 * claims.size());
        var name = reservation == null ? "" : WindowKeys.reservationMember(reservation);
        arguments.add(Long.toString(decidedAt));
        arguments.add(name);
        for (var claim : claims) {
            names.add(WindowKeys.windowMember(WindowKey.of(claim)));
            arguments.add(Long.toString(claim.span()));
            arguments.add(Long.toString(claim.cost()));
        }
        var keyNames = keysOf(identifier, names);
        if (reservation != null) {
            keyNames.add(keys.reservation(identifier, name));
        }
        return withTimeout(() -> manager.eval(refundScript, keyNames, arguments), reply -> null);
    }

    /** Returns the names under which the windows of an identifier are stored. */
    public Uni<List<String>> storedNames(String identifier) {
        return isSharded()
                ? withTimeout(() -> roots.names(identifier), Function.identity())
                : Uni.createFrom().item(List.of(identifier));
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return overNames(identifier, name -> storedUsage(name, resource, window)).map(all -> {
            var last = all.get(all.size() - 1);
            return new WindowUsage(identifier, resource, all.stream().mapToLong(WindowUsage::used).sum(), window, last.end());
        });
    }

    /** Makes a query for each name under which the windows of an identifier are stored. */
    private <T> Uni<List<T>> overNames(String identifier, Function<String, Uni<T>> query) {
        return storedNames(identifier).chain(names -> names.size() == 1
                ? query.apply(names.get(0)).map(List::of)
                : Uni.join().all(names.stream().map(query).toList()).andFailFast());
    }

    private Uni<WindowUsage> storedUsage(String identifier, String resource, Duration window) {
        var name = WindowKeys.windowMember(resource, window.toSeconds());
        return withTimeout(() -> count(identifier, List.of(name)), reply -> new WindowUsage(identifier, resource,
                reply.get(1).toLong(), window, MicrosClock.instant(reply.get(0).toLong())));
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, CalendarWindow period) {
        var name = WindowKeys.windowMember(new WindowKey(resource, period.span(), period.start()));
        return withTimeout(() -> count(identifier, List.of(name)), Function.<Response>identity()).chain(reply -> {
            var current = period.at(reply.get(0).toLong());
            return current == period
                    ? Uni.createFrom().item(period.usage(identifier, resource, reply.get(1).toLong()))
                    : usage(identifier, resource, current); // by Redis's clock, another period is the current one
        });
    }

    @Override
    public Uni<Map<WindowKey, Long>> windows(String identifier) {
        return overNames(identifier, this::storedWindows).map(all -> {
            var sums = new HashMap<WindowKey, Long>();
            all.forEach(windows -> windows.forEach((window, used) -> sums.merge(window, used, Long::sum)));
            return sums;
        });
    }

    private Uni<Map<WindowKey, Long>> storedWindows(String identifier) {
        return withTimeout(() -> members(identifier).map(names -> names.stream().filter(WindowKeys::isWindow).toList())
                .compose(windows -> windows.isEmpty()
                        ? Future.succeededFuture(Map.<WindowKey, Long>of())
                        : count(identifier, windows).map(counts -> used(windows, counts))),
                Function.identity());
    }

    private Future<List<String>> members(String identifier) {
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

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return overNames(identifier, name -> resetStored(name, resource).replaceWith(true)).replaceWithVoid();
    }

    private Uni<Void> resetStored(String identifier, String resource) {
        return withTimeout(() -> members(identifier), Function.<List<String>>identity()).chain(names -> {
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
        int to = Math.min(from + RESET_BATCH_SIZE, windows.size());
        var some = windows.subList(from, to);
        return reset(identifier, some, reservations).chain(() -> reset(identifier, windows, reservations, to));
    }

    private Uni<Void> reset(String identifier, List<String> windows, List<String> reservations) {
        var calls = new ArrayList<Uni<Void>>();
        int from = 0;
        do {
            int to = Math.min(from + RESET_BATCH_SIZE, reservations.size());
            var keyNames = keysOf(identifier, windows);
            reservations.subList(from, to).forEach(name -> keyNames.add(keys.reservation(identifier, name)));
            calls.add(withTimeout(() -> manager.eval(resetScript, keyNames, windows).<Void>mapEmpty(), Function.identity()));
            from = to;
        } while (from < reservations.size());
        return Uni.join().all(calls).usingConcurrencyOf(1).andFailFast().replaceWithVoid();
    }

    @Override
    public Uni<Void> resetAll() {
        return withTimeout(manager::connection, RedisScriptConnection::servers).chain(servers -> Uni.join()
                .all(servers.stream().map(server -> resetFrom(server, "0")).toList()).andFailFast().replaceWithVoid());
    }

    /** Runs a publication to the other instances on the current connection. */
    public Uni<Void> publish(Function<RedisScriptConnection, Future<Void>> publication) {
        return withTimeout(() -> manager.connection().compose(publication), Function.identity());
    }

    /** Completes after a delay. */
    public Uni<Void> delay(long nanos) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
            manager.vertx().setTimer(TimeUnit.NANOSECONDS.toMillis(nanos) + 1,
                    over -> complete(Future.<Void>succeededFuture(), context, emitter));
        });
    }

    /** Returns whether there is a single Redis server, and so a single clock; each master of a cluster has its own. */
    public boolean hasSingleClock() {
        return dispatcher.isSingle();
    }

    /** Returns whether Redis is a cluster: the keys of one call must be in one slot. */
    public boolean isSharded() {
        return dispatcher.isSharded();
    }

    /** Returns whether a request concerns several slots of a cluster, so that one call cannot decide it. */
    public boolean spansSlots(JointRequest request) {
        return spansSlots(request.identifiers());
    }

    /** Returns whether identifiers are in several slots of a cluster. */
    public boolean spansSlots(List<String> identifiers) {
        return dispatcher.isSharded() && identifiers.stream().mapToInt(hashTags::tag).distinct().count() > 1;
    }

    /** Returns the parts of a request by slot, in the order of their first identifiers. */
    public List<JointRequest> bySlot(JointRequest request) {
        var positions = new LinkedHashMap<Integer, List<Integer>>();
        for (int i = 0; i < request.identifiers().size(); i++) {
            positions.computeIfAbsent(hashTags.tag(request.identifiers().get(i)), tag -> new ArrayList<>()).add(i);
        }
        return positions.values().stream()
                .map(some -> new JointRequest(some.stream().map(request.identifiers()::get).toList(),
                        request.plan().with(some.stream().map(request.plan().parts()::get).toList())))
                .toList();
    }

    /** Returns the estimate of Redis's clock. */
    public RedisClock clock() {
        return clock;
    }

    /** Creates a poller that evicts denials from this cache. */
    public ResetPoller resetPoller(DenialCache denials) {
        return new ResetPoller(manager, hashTags, clock, denials, LuaScript.SERVER_TIME);
    }

    /** Deletes all windows of one server, page by page; each page has its own timeout. */
    private Uni<Void> resetFrom(Function<Request, Future<Response>> server, String cursor) {
        var scan = Request.cmd(Command.SCAN).arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(SCAN_COUNT);
        return withTimeout(() -> server.apply(scan).compose(page -> {
            var found = page.get(1).stream().map(key -> manager.send(Request.cmd(Command.UNLINK).arg(key.toString()))).toList();
            return Future.all(found).map(removed -> page.get(0).toString());
        }), Function.<String>identity())
                .chain(next -> "0".equals(next) ? Uni.createFrom().voidItem() : resetFrom(server, next));
    }

    /** Makes a call per subscription, with a timeout; completes on the caller's event loop, if the caller is on one. */
    private <A, T> Uni<T> withTimeout(Supplier<Future<A>> call, Function<A, T> mapper) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
            manager.within(adminTimeoutMillis, call.get().map(mapper)).onComplete(done -> complete(done, context, emitter));
        });
    }

    private static <T> void complete(AsyncResult<T> done, Context context, UniEmitter<? super T> emitter) {
        if (context == null) {
            complete(done, emitter);
        } else {
            context.runOnContext(now -> complete(done, emitter));
        }
    }

    private static <T> void complete(AsyncResult<T> done, UniEmitter<? super T> emitter) {
        if (done.succeeded()) {
            emitter.complete(done.result());
        } else {
            emitter.fail(done.cause() instanceof StoreUnavailableException
                    ? done.cause()
                    : new StoreUnavailableException("Redis replied with an error", done.cause()));
        }
    }
}
