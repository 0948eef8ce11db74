package dev.sluice.store;

import java.util.List;

/**
 * Request for units of windows of several identifiers, which are decided together. In a Redis Cluster, the identifiers must have the
 * same hash tag.
 *
 * @param identifiers the identifier of each part of the plan. No two parts of an identifier concern the same window
 * @param plan the claims of each identifier
 */
public record JointRequest(List<String> identifiers, JointPlan plan) {

    /** Returns the request for the calendar periods of a time in microseconds: this one, if it is for these periods. */
    public JointRequest at(long micros) {
        var current = plan.at(micros);
        return current == plan ? this : new JointRequest(identifiers, current);
    }
}
