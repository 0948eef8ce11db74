package dev.sluice.service.alerts;

import java.time.Duration;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;

/**
 * Window and limit about which alerts are sent.
 *
 * @param identifier owner of the window
 * @param resource name of the resource
 * @param unit unit of the limit
 * @param limit units per window, positive
 * @param window length of the window
 */
record AlertWindow(String identifier, String resource, QuotaUnit unit, long limit, Duration window) {

    /** Returns the window of a quota. */
    static AlertWindow of(QuotaStatus quota) {
        return new AlertWindow(quota.identifier(), quota.resource(), quota.unit(), quota.limit(), quota.window());
    }
}
