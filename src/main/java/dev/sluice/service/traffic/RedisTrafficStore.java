package dev.sluice.service.traffic;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Response;

/**
 * Counts of all instances, in Redis: for each minute of Redis's clock a hash of counts, which expires after 25 hours, and two sorted
 * sets of identifiers, which expire after an hour; for each hour a hash of rates that came with requests; and the last report of each
 * instance. Thread-safe.
 */
final class RedisTrafficStore implements TrafficStore {

    /** Maximum number of fields of a minute. */
    static final int MAX_FIELDS = 3000;

    private static final long TIMEOUT_MILLIS = 2000;
    private static final int SECONDS = 60;
    /** Place of the first minute in the reply of read.lua. */
    private static final int FIRST_MINUTE = 2;

    private final RedisConnectionManager manager;
    private final Context context;
    private final List<String> keys;
    private final LuaScript addScript;
    private final LuaScript readScript;
    private final LuaScript reportScript;
    private final LuaScript ratesScript;
    private final String instance = UUID.randomUUID().toString();

    /**
     * @param context on which futures complete
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    RedisTrafficStore(RedisConnectionManager manager, HashTags hashTags, Context context, String timeExpression) {
        this.manager = manager;
        this.context = context;
        this.keys = List.of(hashTags.globalKey("{traffic}"));
        this.addScript = loadAfterOwn("add.lua", timeExpression);
        this.readScript = loadAfterOwn("read.lua", timeExpression);
        this.reportScript = loadAfterOwn("report.lua", timeExpression);
        this.ratesScript = LuaScript.load(RedisTrafficStore.class, "rates.lua", timeExpression);
    }

    private static LuaScript loadAfterOwn(String name, String timeExpression) {
        return LuaScript.load(RedisTrafficStore.class, List.of("own.lua", name), timeExpression);
    }

    @Override
    public Future<Void> add(TrafficCounts counts) {
        var fields = new ArrayList<String>();
        TrafficFields.append(counts, fields);
        var arguments = new ArrayList<>(List.of(Integer.toString(KEPT_MINUTES * SECONDS),
                Integer.toString((LISTED_MINUTES + 1) * SECONDS), Integer.toString(MAX_FIELDS), Integer.toString(MAX_LISTED),
                Integer.toString(fields.size() / 2)));
        arguments.addAll(fields);
        append(counts.allowed(), arguments);
        append(counts.denied(), arguments);
        arguments.add(Integer.toString(MAX_RATES));
        arguments.add(Integer.toString(counts.rates().size()));
        counts.rates().forEach((name, rate) -> {
            arguments.add(name.field());
            arguments.add(rate);
        });
        return call(addScript, arguments, reply -> null);
    }

    private static void append(Map<TopCaller, Long> callers, List<String> arguments) {
        arguments.add(Integer.toString(callers.size()));
        callers.forEach((caller, count) -> {
            arguments.add(TrafficFields.member(caller));
            arguments.add(count.toString());
        });
    }

    @Override
    public Future<Void> report(Map<RuleTier, Long> inFlight) {
        return call(reportScript, List.of(instance, TrafficFields.report(inFlight), Integer.toString(EXPIRY_SECONDS)),
                reply -> null);
    }

    @Override
    public Future<Reading> read(int ago, int number) {
        return call(readScript, List.of(Integer.toString(ago), Integer.toString(number), Integer.toString(LISTED_MINUTES),
                Integer.toString(EXPIRY_SECONDS)),
                reply -> {
                    var minutes = new ArrayList<TrafficMinute>();
                    var inFlight = new HashMap<RuleTier, Long>();
                    reply.get(1).forEach(report -> TrafficFields.readReport(report.toString(), inFlight));
                    for (int i = 0; i < number; i++) {
                        minutes.add(minute(reply.get(FIRST_MINUTE + i)));
                    }
                    return new Reading(reply.get(0).toLong(), minutes, inFlight);
                });
    }

    @Override
    public Future<Map<String, String>> rates(String identifier, List<String> resources) {
        var fields = resources.stream().map(resource -> new GivenRate(identifier, resource).field()).toList();
        return call(ratesScript, fields, reply -> {
            var rates = new HashMap<String, String>();
            for (int i = 0; i < resources.size(); i++) {
                var rate = reply.get(i).toString();
                if (!rate.isEmpty()) {
                    rates.put(resources.get(i), rate);
                }
            }
            return rates;
        });
    }

    private static TrafficMinute minute(Response reply) {
        var counts = new TrafficCounts();
        var fields = reply.get(1);
        for (int i = 0; i + 1 < fields.size(); i += 2) {
            TrafficFields.read(fields.get(i).toString(), fields.get(i + 1).toString(), counts);
        }
        readMembers(reply.get(2), counts.allowed());
        readMembers(reply.get(3), counts.denied());
        return new TrafficMinute(reply.get(0).toLong(), counts);
    }

    private static void readMembers(Response members, Map<TopCaller, Long> callers) {
        for (int i = 0; i + 1 < members.size(); i += 2) {
            TrafficFields.readMember(members.get(i).toString(), (long) Double.parseDouble(members.get(i + 1).toString()),
                    callers);
        }
    }

    private <T> Future<T> call(LuaScript script, List<String> arguments, Function<Response, T> mapper) {
        Promise<T> result = Promise.promise();
        manager.within(TIMEOUT_MILLIS, manager.connection().compose(
                connection -> connection.eval(script, keys, arguments).onSuccess(connection::reportRepairs)))
                .onComplete(done -> context.runOnContext(now -> result.handle(done.map(mapper))));
        return result.future();
    }
}
