package dev.sluice.identity.chain;

/**
 * Level of a chain that has limits. The limits of the members of a team are a level of their own, whose windows are known by team
 * and user. Immutable.
 *
 * @param identifier identifier of the windows: {@code key:<id>}, {@code user:<name>}, {@code team:<name>}, {@code org:<name>}, or
 *        for the limits of a member {@code team:<name>/user:<name>} or {@code org:<name>/user:<name>}
 * @param limits the limits, not empty
 */
public record ChainLevel(String identifier, OwnLimits limits) {
}
