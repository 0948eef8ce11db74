package dev.sluice.service.traffic;

import java.util.List;

import io.vertx.core.Future;

/** Store of the counts of minutes. Futures complete on the context of the caller. */
interface TrafficStore {

    /** Time for which counts are kept, in minutes. */
    int KEPT_MINUTES = 25 * 60;
    /** Time for which identifiers are kept, in minutes. */
    int LISTED_MINUTES = 60;
    /** Maximum number of identifiers of a minute, for each outcome. */
    int MAX_LISTED = 200;

    /**
     * Minutes as they were read.
     *
     * @param nowMillis time of the store, in milliseconds since 1970
     * @param minutes the minutes in ascending order, without gaps; the last one may still change
     */
    record Reading(long nowMillis, List<TrafficMinute> minutes) {
    }

    /** Adds counts to those of the current minute. */
    Future<Void> add(TrafficCounts counts);

    /**
     * Reads minutes.
     *
     * @param ago number of minutes before the current one at which to begin
     * @param number how many minutes, at most {@code ago} + 1
     */
    Future<Reading> read(int ago, int number);
}
