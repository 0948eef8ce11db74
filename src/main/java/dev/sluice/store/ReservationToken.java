package dev.sluice.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

import dev.sluice.redis.HashTags;

/**
 * Textual reference to a reservation: {@code r-5f0c…-60-86400}. The text is untrusted input: it only selects where the
 * reservation is looked up; the reserved costs come from the store.
 *
 * @param location the store that holds it
 * @param id 32 hexadecimal digits
 * @param seconds the lengths of the windows it reserved units in
 * @param root identifier in whose slot the windows are stored; null if they are in the slots of their own identifiers
 */
public record ReservationToken(Location location, String id, List<Long> seconds, String root) {

    public enum Location {
        REDIS("r"), MEMORY("m"),
        /** In memory, and possibly also in Redis, which did not reply in time. */
        BOTH("b");

        private final String prefix;

        Location(String prefix) {
            this.prefix = prefix;
        }

        private static Location of(String prefix) {
            return "r".equals(prefix) ? REDIS : "m".equals(prefix) ? MEMORY : BOTH;
        }
    }

    private static final Pattern TOKEN = Pattern
            .compile("([rmb])-([0-9a-f]{32})((?:-[1-9]\\d{0,6}){1,64})(?:\\.([A-Za-z0-9_-]{1,1400}))?");

    /** @param stored identifiers under which the windows are stored */
    public static ReservationToken of(Location location, String id, List<String> stored, List<WindowClaim> claims) {
        return new ReservationToken(location, id,
                claims.stream().filter(WindowClaim::reserved).map(claim -> claim.span() / 1_000_000)
                        .distinct().toList(),
                stored.stream().map(HashTags::rootOf).filter(Objects::nonNull).findFirst().orElse(null));
    }

    /** Returns the name under which the windows of an identifier are stored. */
    public String stored(String identifier) {
        return root == null ? identifier : HashTags.inSlotOf(root, identifier);
    }

    /**
     * Parses a token.
     *
     * @return null if the text is not a token
     */
    public static ReservationToken parse(String text) {
        var matcher = TOKEN.matcher(text);
        return matcher.matches()
                ? new ReservationToken(Location.of(matcher.group(1)), matcher.group(2),
                        Arrays.stream(matcher.group(3).substring(1).split("-")).map(Long::valueOf).toList(),
                        decoded(matcher.group(4)))
                : null;
    }

    private static String decoded(String root) {
        try {
            return root == null ? null : new String(Base64.getUrlDecoder().decode(root), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return null; // not a text of Sluice
        }
    }

    @Override
    public String toString() {
        var text = new StringBuilder(location.prefix).append('-').append(id);
        seconds.forEach(length -> text.append('-').append(length));
        if (root != null) {
            text.append('.')
                    .append(Base64.getUrlEncoder().withoutPadding().encodeToString(root.getBytes(StandardCharsets.UTF_8)));
        }
        return text.toString();
    }
}
