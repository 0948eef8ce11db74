package dev.sluice.service.alerts;

import java.util.List;

import io.vertx.core.Future;

/**
 * Durable queue of the alerts of all instances. An alert is claimed once, and stays in the queue until it is sent or given up. Each
 * {@code Future} fails if the queue is unavailable; then the call may have had its effect, and can be repeated.
 */
interface AlertQueue {

    /** Maximum number of alerts in the queue. An owner may have as many of them as there is room left. */
    int MAX_PENDING = 10_000;
    /** Time for which a leased alert is kept from the other instances, in milliseconds: longer than an attempt. */
    long LEASE_MILLIS = 30_000;
    /** Time after which an alert is given up, in milliseconds. */
    long MAX_AGE_MILLIS = 86_400_000;

    /** Result of a claim. */
    enum ClaimResult {
        /** The alert has been added to the queue. */
        CLAIMED,
        /** It was claimed before. */
        ALREADY_CLAIMED,
        /** There is no room for further alerts of this owner: nothing has changed. */
        FULL
    }

    /** Result of a failed attempt. */
    enum RetryResult {
        /** The alert stays in the queue. */
        SCHEDULED,
        /** It was older than a day at the next attempt, and has been removed. */
        GIVEN_UP,
        /** It had been removed before. */
        GONE
    }

    /**
     * Alert to send.
     *
     * @param id identifier of the message, the same in all attempts
     * @param attempts number of failed attempts
     * @param message as in {@link LimitAlert}
     */
    record Leased(String id, int attempts, String message) {
    }

    /**
     * Reply to a lease.
     *
     * @param pending number of alerts in the queue, these included
     */
    record Lease(List<Leased> alerts, long pending) {
    }

    /** Claims alerts and adds those that are new. Returns a result for each. */
    Future<List<ClaimResult>> claim(List<LimitAlert> alerts);

    /** Leases alerts that are due, for {@value #LEASE_MILLIS} ms. */
    Future<Lease> lease(int max);

    /** Schedules the next attempt after this time, or gives the alert up. */
    Future<RetryResult> retry(String id, long delayMillis);

    /** Removes an alert. Returns whether it was in the queue. */
    Future<Boolean> remove(String id);
}
