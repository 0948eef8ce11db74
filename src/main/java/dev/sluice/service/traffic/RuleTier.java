package dev.sluice.service.traffic;

/**
 * Rule and tier that decisions are counted by.
 *
 * @param rule name of the rule, as in the metrics
 * @param tier name of the tier; {@code none} if the request has none
 */
public record RuleTier(String rule, String tier) {
}
