package dev.sluice.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

import dev.sluice.api.WindowUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointRequest;
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
import io.vertx.core.Future;

/** Window store in Redis. A Lua script makes the decisions atomically, by Redis's clock. */
public final class RedisWindowStore implements WindowStore {

    /** Minimum timeout of queries and resets, which no rate-limited request waits for. */
    private static final long MIN_ADMIN_TIMEOUT_MILLIS = 2000;
    /** Characters of the name of an instance. */
    private static final int INSTANCE_LENGTH = 13;

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final long exactUpTo;
    private final TimedCalls calls;
    private final LuaScript settleScript;
    private final LuaScript refundScript;
    private final HashTags hashTags;
    private final RedisClock clock = new RedisClock();
    private final ScriptDispatcher dispatcher;
    private final HeldSlots held;
    private final SlotSync slots;
    private final RedisLeases leases;
    private final ChainRoots roots;
    private final WindowQueries queries;
    private final WindowResets resets;

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
        this.calls = new TimedCalls(manager, Math.max(MIN_ADMIN_TIMEOUT_MILLIS, timeout.toMillis()));
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
        this.refundScript = LuaScript.load(RedisWindowStore.class, "refund.lua", timeExpression);
        this.queries = new WindowQueries(manager, keys, roots, this::isSharded, calls, timeExpression);
        this.resets = new WindowResets(manager, keys, queries, calls, timeExpression);
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
            return calls.make(() -> leases.take(lease, limit)).onFailure().invoke(() -> {
                if (sent) {
                    leases.abandon(lease);
                }
            });
        });
    }

    /** Returns the resources of an identifier that have, or had, leases. */
    public Uni<List<String>> leasedResources(String identifier) {
        return calls.make(() -> leases.resources(identifier));
    }

    /** Frees all leases of a resource. */
    public Uni<Void> freeLeases(String identifier, String resource) {
        return calls.make(() -> leases.freeAll(identifier, resource));
    }

    /** Frees a lease of which the client has not been told, as soon as Redis is available. */
    public void abandonLease(LeaseToken lease) {
        leases.abandon(lease);
    }

    /** Renews a lease that is held. */
    public Uni<LeaseState> renewLease(LeaseToken lease, long seconds) {
        return calls.make(() -> leases.renew(lease, seconds));
    }

    /** Frees a lease that is held. */
    public Uni<LeaseState> freeLease(LeaseToken lease) {
        return calls.make(() -> leases.free(lease));
    }

    /** Removes the slots that this instance holds from Redis, at its end. */
    public Future<Void> clearSlots() {
        return slots.clear();
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
        var keyNames = keys.ofWindows(identifier, names);
        keyNames.add(keys.reservation(identifier, name));
        return calls.make(() -> manager.eval(settleScript, keyNames, arguments).mapEmpty());
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
        var keyNames = keys.ofWindows(identifier, names);
        if (reservation != null) {
            keyNames.add(keys.reservation(identifier, name));
        }
        return calls.make(() -> manager.eval(refundScript, keyNames, arguments).mapEmpty());
    }

    /** Returns the names under which the windows of an identifier are stored. */
    public Uni<List<String>> storedNames(String identifier) {
        return queries.storedNames(identifier);
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return queries.usage(identifier, resource, window);
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, CalendarWindow period) {
        return queries.usage(identifier, resource, period);
    }

    @Override
    public Uni<Map<WindowKey, Long>> windows(String identifier) {
        return queries.windows(identifier);
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return resets.reset(identifier, resource);
    }

    @Override
    public Uni<Void> resetAll() {
        return resets.resetAll();
    }

    /** Runs a publication to the other instances on the current connection. */
    public Uni<Void> publish(Function<RedisScriptConnection, Future<Void>> publication) {
        return calls.make(() -> manager.connection().compose(publication));
    }

    /** Completes after a delay. */
    public Uni<Void> delay(long nanos) {
        return calls.delay(nanos);
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
}
