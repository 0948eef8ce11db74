package dev.sluice.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import io.micrometer.core.instrument.Tags;

/**
 * Tags {@code team} and {@code org} of metrics, if {@code rate-limit.metrics.teams} is set. The number of time series is bounded: from
 * the {@value #MAX_GROUPS}th team on, teams are counted as {@value #OTHER}. Thread-safe. Internal.
 */
@Singleton
public class TeamTags {

    static final int MAX_GROUPS = 1000;
    static final String NONE = "none";
    static final String OTHER = "other";

    /** Team and organisation as tags; both null if there are no such tags. */
    public record Group(@Nullable String team, @Nullable String org) {

        private static final Group UNTAGGED = new Group(null, null);
        private static final Group OTHERS = new Group(OTHER, OTHER);

        /** Returns the tags. */
        public Tags tags() {
            return team == null || org == null ? Tags.empty() : Tags.of("team", team, "org", org);
        }
    }

    private final boolean enabled;
    private final Set<Group> groups = ConcurrentHashMap.newKeySet();

    @Inject
    TeamTags(MetricsConfig config) {
        this(config.teams());
    }

    /** @param enabled whether metrics have these tags */
    public TeamTags(boolean enabled) {
        this.enabled = enabled;
    }

    /**
     * Returns the tags of a caller.
     *
     * @param team name of the team; null if there is none
     * @param org name of the organisation; null if there is none
     */
    public Group of(@Nullable String team, @Nullable String org) {
        if (!enabled) {
            return Group.UNTAGGED;
        }
        var group = new Group(team == null ? NONE : team, org == null ? NONE : org);
        return groups.contains(group) || groups.size() < MAX_GROUPS && groups.add(group) ? group : Group.OTHERS;
    }
}
