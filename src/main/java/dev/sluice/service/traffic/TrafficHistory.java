package dev.sluice.service.traffic;

import java.util.List;
import java.util.Map;

/**
 * Decisions of the last minutes.
 *
 * @param nowMillis time at which they were read, by the clock of the store, in milliseconds since 1970
 * @param allInstances whether those of all instances are counted; otherwise those of this one only, because Redis is not used or does
 *        not reply
 * @param minutes the minutes in ascending order, without gaps; the current one is the last
 * @param inFlight number of requests that hold slots of a concurrency limit, by rule and tier, without zeros
 */
public record TrafficHistory(long nowMillis, boolean allInstances, List<TrafficMinute> minutes,
        Map<RuleTier, Long> inFlight) {

    /** Returns the number of requests in flight of all rules. */
    public long totalInFlight() {
        return inFlight.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Returns the sum of the last minutes. */
    public TrafficCounts sum(int lastMinutes) {
        var sum = new TrafficCounts();
        minutes.subList(Math.max(0, minutes.size() - lastMinutes), minutes.size())
                .forEach(minute -> sum.add(minute.counts()));
        return sum;
    }
}
