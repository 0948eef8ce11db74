package dev.sluice.store;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Textual reference to a reservation: {@code r-5f0c…-60-86400}, or {@code r-5f0c…-60-86400@1764547200} if the second window is the
 * calendar period that begins at this Unix time. The text is untrusted input: it only selects where the
 * reservation is looked up; the reserved costs come from the store.
 *
 * @param location the store that holds it
 * @param id 32 hexadecimal digits
 * @param windows the lengths and periods of the windows it reserved units in; the resources are empty
 */
public record ReservationToken(Location location, String id, List<WindowKey> windows) {

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
            .compile("([rmb])-([0-9a-f]{32})((?:-[1-9]\\d{0,6}(?:@\\d{1,12})?){1,64})");

    /**
     * Creates the token of a reservation.
     *
     * @param claims the claims that were decided. If Redis did not reply in time, it may have decided on the period before or after
     *        that of a calendar window, so that the token names these, too
     */
    public static ReservationToken of(Location location, String id, List<WindowClaim> claims) {
        return new ReservationToken(location, id,
                claims.stream().filter(WindowClaim::reserved)
                        .flatMap(claim -> location == Location.BOTH && claim.calendar() != null
                                ? Stream.of(claim, claim.at(claim.calendar().startMicros() - 1),
                                        claim.at(claim.calendar().endMicros()))
                                : Stream.of(claim))
                        .map(WindowKey::of).map(key -> new WindowKey("", key.span(), key.start())).distinct().toList());
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
                                .map(window -> WindowKeys.windowKey(window + ':')).toList())
                : null;
    }

    @Override
    public String toString() {
        var text = new StringBuilder(location.prefix).append('-').append(id);
        windows.forEach(window -> {
            var member = WindowKeys.windowMember(window);
            text.append('-').append(member, 0, member.length() - 1);
        });
        return text.toString();
    }
}
