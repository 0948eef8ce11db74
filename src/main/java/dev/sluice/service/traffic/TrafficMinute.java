package dev.sluice.service.traffic;

/**
 * Decisions of one minute.
 *
 * @param minute number of the minute since 1970
 * @param counts the decisions; must not be changed
 */
public record TrafficMinute(long minute, TrafficCounts counts) {
}
