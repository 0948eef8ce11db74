package dev.sluice.service.alerts;

import java.time.Instant;

/**
 * Use of a window that may have reached a threshold.
 *
 * @param used units used, of those of the limit
 * @param period period of the decision
 * @param decidedAt time of the decision
 * @param progress what is known about the window's alerts
 */
record AlertObservation(AlertWindow window, long used, AlertPeriod period, Instant decidedAt, AlertProgress progress) {

    /** Identifies the observations of which the last one counts. */
    record Key(AlertWindow window, AlertPeriod period) {
    }

    /** Returns this observation for the progress that counts now: after a reconnection, it is another one. */
    AlertObservation with(AlertProgress current) {
        return new AlertObservation(window, used, period, decidedAt, current);
    }

    Key key() {
        return new Key(window, period);
    }
}
