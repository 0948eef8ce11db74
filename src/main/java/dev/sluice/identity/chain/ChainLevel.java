package dev.sluice.identity.chain;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;

/**
 * Level of a chain that has limits. The limits of the members of a team are a level of their own, whose windows are known by team
 * and user. Immutable.
 *
 * @param identifier identifier of the windows: {@code key:<id>}, {@code user:<name>}, {@code team:<name>}, {@code org:<name>}, or
 *        for the limits of a member {@code team:<name>/user:<name>} or {@code org:<name>/user:<name>}
 * @param limits the limits, not empty
 * @param apiRequest request for an API request that the limit of all API requests concerns; null if there is no such limit
 */
public record ChainLevel(String identifier, OwnLimits limits, @Nullable RateLimitRequest apiRequest) {

    /** Creates a level. */
    public ChainLevel(String identifier, OwnLimits limits) {
        this(identifier, limits, limits.api() == null
                ? null
                : new RateLimitRequest(identifier, null, LevelResources.API,
                        List.of(new ResourceCheck(LevelResources.API, limits.api(), 1))));
    }
}
