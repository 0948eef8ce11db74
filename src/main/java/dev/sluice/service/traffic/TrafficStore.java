package dev.sluice.service.traffic;

import java.util.List;
import java.util.Map;

import io.vertx.core.Future;

/** Store of the counts of minutes. Futures complete on the context of the caller. */
interface TrafficStore {

    /** Time for which counts are kept, in minutes. */
    int KEPT_MINUTES = 25 * 60;
    /** Time for which identifiers are kept, in minutes. */
    int LISTED_MINUTES = 60;
    /** Maximum number of rates that are kept of an hour. */
    int MAX_RATES = 5000;
    /** Maximum number of identifiers of a minute, for each outcome. */
    int MAX_LISTED = 200;
    /** Time without a report after which an instance is considered gone, as in its membership, in seconds. */
    int EXPIRY_SECONDS = 5;

    /**
     * Minutes as they were read.
     *
     * @param nowMillis time of the store, in milliseconds since 1970
     * @param minutes the minutes in ascending order, without gaps; the last one may still change
     * @param inFlight number of requests in flight by rule and tier, of the instances that are alive
     */
    record Reading(long nowMillis, List<TrafficMinute> minutes, Map<RuleTier, Long> inFlight) {
    }

    /** Adds counts to those of the current minute. */
    Future<Void> add(TrafficCounts counts);

    /**
     * Replaces the numbers of this instance's requests in flight. They hold for {@value #EXPIRY_SECONDS} seconds, so that those of a
     * dead instance disappear.
     *
     * @param inFlight without zeros
     */
    Future<Void> report(Map<RuleTier, Long> inFlight);

    /**
     * Reads minutes.
     *
     * @param ago number of minutes before the current one at which to begin
     * @param number how many minutes, at most {@code ago} + 1
     */
    Future<Reading> read(int ago, int number);

    /**
     * Returns the texts of the last rates that came with requests of an identifier, by resource. They are kept for one to two hours.
     *
     * @param resources names of the resources
     */
    Future<Map<String, String>> rates(String identifier, List<String> resources);
}
