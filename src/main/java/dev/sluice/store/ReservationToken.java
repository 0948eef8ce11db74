package dev.sluice.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.sluice.redis.HashTags;

/**
 * Textual reference to a reservation: {@code r-5f0c…-60-86400}, or {@code r-5f0c…-60-86400@1764547200} if the second window is the
 * calendar period that begins at this Unix time. The text is untrusted input: it only selects where the
 * reservation is looked up; the reserved costs come from the store.
 *
 * @param location the store that holds it
 * @param id 32 hexadecimal digits
 * @param windows the lengths and periods of the windows it reserved units in; the resources are empty
 * @param root identifier in whose slot the windows are stored; null if they are in the slots of their own identifiers
 */
public record ReservationToken(Location location, String id, List<WindowKey> windows, String root) {

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
            .compile("([rmb])-([0-9a-f]{32})((?:-[1-9]\\d{0,6}(?:@\\d{1,12})?){1,64})(?:\\.([A-Za-z0-9_-]{1,1400}))?");

    /**
     * Creates the token of a reservation.
     *
     * @param stored identifiers under which the windows are stored
     * @param claims the claims that were decided. If Redis did not reply in time, it may have decided on the period before or after
     *        that of a calendar window, so that the token names these, too
     */
    public static ReservationToken of(Location location, String id, List<String> stored, List<WindowClaim> claims) {
        return new ReservationToken(location, id,
                claims.stream().filter(WindowClaim::reserved)
                        .flatMap(claim -> location == Location.BOTH && claim.calendar() != null
                                ? Stream.of(claim, claim.at(claim.calendar().startMicros() - 1),
                                        claim.at(claim.calendar().endMicros()))
                                : Stream.of(claim))
                        .map(WindowKey::of).map(key -> new WindowKey("", key.span(), key.start())).distinct().toList(),
                stored.stream().map(HashTags::rootOf).filter(Objects::nonNull).findFirst().orElse(null));
    }

    /**
     * Combines the tokens of one reservation in several slots of a cluster.
     *
     * @return null if no windows are reserved
     */
    public static String combine(List<String> texts) {
        ReservationToken combined = null;
        for (var text : texts) {
            var token = parse(text);
            if (token != null) { // otherwise it has no windows
                combined = combined == null ? token : combined.with(token);
            }
        }
        return combined == null ? null : combined.toString();
    }

    private ReservationToken with(ReservationToken other) {
        return new ReservationToken(location == other.location ? location : Location.BOTH, id,
                Stream.concat(windows.stream(), other.windows.stream()).distinct().toList(), root == null ? other.root : root);
    }

    /** Returns a token for identifiers whose windows are in slots of their own, also if those of others are in that of a root. */
    public static String withoutRoot(String text) {
        int root = text.indexOf('.');
        return root < 0 ? text : text.substring(0, root);
    }

    /** Returns the name under which the windows of an identifier are stored. */
    public String stored(String identifier) {
        return root == null ? identifier : HashTags.inSlotOf(root, identifier);
    }

    /** Returns the windows of a resource. */
    public List<WindowKey> windows(String resource) {
        return windows.stream().map(window -> new WindowKey(resource, window.span(), window.start())).toList();
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
                        Arrays.stream(matcher.group(3).substring(1).split("-"))
                                .map(window -> WindowKeys.windowKey(window + ':')).toList(),
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
        windows.forEach(window -> {
            var member = WindowKeys.windowMember(window);
            text.append('-').append(member, 0, member.length() - 1);
        });
        if (root != null) {
            text.append('.')
                    .append(Base64.getUrlEncoder().withoutPadding().encodeToString(root.getBytes(StandardCharsets.UTF_8)));
        }
        return text.toString();
    }
}
