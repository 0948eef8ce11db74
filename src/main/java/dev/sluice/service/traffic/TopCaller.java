package dev.sluice.service.traffic;

/**
 * Identifier whose decisions by one rule are counted, approximately.
 *
 * @param identifier owner of the windows
 * @param rule name of the rule
 * @param tier name of the tier
 */
public record TopCaller(String identifier, String rule, String tier) {
}
