package dev.sluice.service.traffic;

import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;

/** Counts of this instance, kept in memory for an hour. For one thread at a time. */
final class InMemoryTrafficStore implements TrafficStore {

    private final Clock clock;
    private final TreeMap<Long, TrafficCounts> minutes = new TreeMap<>();
    /** Of the least recently added first. */
    private final Map<GivenRate, String> rates = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<GivenRate, String> eldest) {
            return size() > MAX_RATES;
        }
    };
    private Map<RuleTier, Long> inFlight = Map.of();
    private long reportedAt;

    InMemoryTrafficStore(Clock clock) {
        this.clock = clock;
    }

    @Override
    public Future<Void> add(TrafficCounts counts) {
        long now = minute();
        minutes.headMap(now - LISTED_MINUTES, true).clear();
        var current = minutes.computeIfAbsent(now, any -> new TrafficCounts());
        current.add(counts);
        current.rates().clear();
        counts.rates().forEach((name, rate) -> {
            rates.remove(name);
            rates.put(name, rate);
        });
        TrafficFields.retainHighest(current.allowed(), MAX_LISTED);
        TrafficFields.retainHighest(current.denied(), MAX_LISTED);
        return Future.succeededFuture();
    }

    @Override
    public Future<Void> report(Map<RuleTier, Long> inFlight) {
        this.inFlight = Map.copyOf(inFlight);
        reportedAt = clock.millis();
        return Future.succeededFuture();
    }

    @Override
    public Future<Reading> read(int ago, int number) {
        var read = new ArrayList<TrafficMinute>();
        long first = minute() - ago;
        for (long minute = first; minute < first + number; minute++) {
            var copy = new TrafficCounts();
            copy.add(minutes.getOrDefault(minute, copy));
            read.add(new TrafficMinute(minute, copy));
        }
        return Future.succeededFuture(new Reading(clock.millis(), read,
                clock.millis() - reportedAt < TimeUnit.SECONDS.toMillis(EXPIRY_SECONDS) ? inFlight : Map.of()));
    }

    @Override
    public Future<Map<String, String>> rates(String identifier, List<String> resources) {
        var found = new HashMap<String, String>();
        resources.forEach(resource -> {
            var rate = rates.get(new GivenRate(identifier, resource));
            if (rate != null) {
                found.put(resource, rate);
            }
        });
        return Future.succeededFuture(found);
    }

    private long minute() {
        return TimeUnit.MILLISECONDS.toMinutes(clock.millis());
    }
}
