package dev.sluice.identity.chain;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Chain of a caller, from the key to the organisation. Immutable.
 *
 * @param key id of the stored key; null if there is none
 * @param user name of the user; null if there is none
 * @param team name of the team; null if there is none
 * @param org name of the organisation; null if there is none
 * @param levels the levels that have limits, in the order key, user, member of the team, team, member of the organisation,
 *        organisation
 * @param models lists of the models that each level with such a list allows, as {@link ModelPattern}; every list must allow a model
 */
public record IdentityChain(@Nullable String key, @Nullable String user, @Nullable String team, @Nullable String org,
        List<ChainLevel> levels, List<List<String>> models) {

    /** Chain of a caller without levels. */
    public static final IdentityChain NONE = new IdentityChain(null, null, null, null, List.of(), List.of());

    public IdentityChain {
        levels = List.copyOf(levels);
        models = models.stream().map(list -> list.stream().map(ModelPattern::normalize).toList()).toList();
    }

    /** Returns the identifier of the highest level: organisation, else team, else user, else key; null if there is no level. */
    public @Nullable String root() {
        if (org != null) {
            return "org:" + org;
        } else if (team != null) {
            return "team:" + team;
        } else if (user != null) {
            return "user:" + user;
        }
        return key == null ? null : "key:" + key;
    }

    /** Returns whether an identifier is that of a level. */
    public boolean contains(String identifier) {
        return isLevel("key:", key, identifier) || isLevel("user:", user, identifier) || isLevel("team:", team, identifier)
                || isLevel("org:", org, identifier)
                || levels.stream().anyMatch(level -> level.identifier().equals(identifier));
    }

    private static boolean isLevel(String prefix, @Nullable String name, String identifier) {
        return name != null && identifier.startsWith(prefix) && identifier.length() == prefix.length() + name.length()
                && identifier.endsWith(name);
    }

    /** Returns whether every level allows a model. */
    public boolean allowsModel(String model) {
        if (models.isEmpty()) {
            return true;
        }
        var name = ModelPattern.normalize(model);
        return models.stream()
                .allMatch(patterns -> patterns.stream().anyMatch(pattern -> ModelPattern.matches(pattern, name)));
    }
}
